"""What left: tables, RDF cube, chart and crate, each made from the gated table only."""
