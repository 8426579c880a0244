"""Logistic and Poisson regression on a table of counts that nobody sees, from which only the fit is opened.

With coded covariates, persons and events by pattern of covariates are all that the likelihood needs. So nodes
deal that table once, and every iterate of the fit stays shared: no node sees a coefficient before the end, and
no round trip to the data is needed. `fit` is the arithmetic, `rules` what a table must fulfil, `figures` the
rounding, `plain` the same in clear: the oracle.
"""
