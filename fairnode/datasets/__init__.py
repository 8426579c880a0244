"""What a node does with data of its own: bindings read from the record, sources, views and twins.

`bindings`, `source`, `views` and `describe` are light and may be used everywhere; `reading` opens files and
databases with heavy libraries and is used by the child processes of `fairnode.jobs` only.
"""
