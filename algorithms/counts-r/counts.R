# Counts registrations by the dimensions that the study names: the smallest algorithm in R.
source("/opt/algorithm/r/fairnode.R")

run <- read_run()
records <- read_records()
lists <- Filter(function(v) isTRUE(v$multiple), run$inputs[[1]]$variables)
lists <- vapply(lists, function(v) v$name, "")

count <- function(table) {
  names <- vapply(table$dimensions, function(axis) axis$variable, "")
  rows <- records
  for (name in intersect(names, lists)) rows <- one_by_one(rows, name)
  rows[, .(n = .N), by = names]
}

tables <- lapply(run$contract$tables, count)
names(tables) <- vapply(run$contract$tables, function(table) table$id, "")
write_result(run, tables)
