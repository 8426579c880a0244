# What an algorithm in R needs to visit a node: what was asked, the records, complete tables.
# Started by `python3 -m fairnode_kit.with_files Rscript ...`, which lays the records beside it as CSV.
suppressPackageStartupMessages({
  library(data.table)
  library(jsonlite)
})

root <- Sys.getenv("FAIRNODE_ROOT", "/fairnode")
files <- Sys.getenv("FAIRNODE_FILES", "/tmp")

# What is asked: $parameters, $inputs, $contract$tables, as run.json says it.
read_run <- function() fromJSON(file.path(root, "run.json"), simplifyVector = FALSE)

# The records of an input, every column as text; nothing recorded is NA.
read_records <- function(name = "records")
  fread(file.path(files, paste0(name, ".csv")), colClasses = "character", na.strings = "", encoding = "UTF-8")

# One row for each code of a column of lists ("a|b"), each code of a record once.
one_by_one <- function(records, column) {
  parts <- lapply(strsplit(records[[column]], "|", fixed = TRUE), unique)
  wide <- records[rep(seq_len(nrow(records)), lengths(parts))]
  set(wide, j = column, value = unlist(parts))
  wide
}

# All cells of a table, in the order of the contract, with 0 where `cells` has none.
complete <- function(table, cells) {
  names <- vapply(table$dimensions, function(axis) axis$variable, "")
  codes <- lapply(table$dimensions, function(axis) unlist(axis$codes))
  grid <- do.call(CJ, c(setNames(codes, names), sorted = FALSE))
  cells <- cells[grid, on = names]
  value <- if (table$kind == "other") "v" else "n"
  cells[is.na(get(value)), (value) := 0]
  lapply(seq_len(nrow(cells)), function(i) {
    key <- lapply(names, function(name) cells[[name]][i])
    if (value == "v") list(k = key, v = cells$v[i]) else list(k = key, n = as.integer(cells$n[i]))
  })
}

# Write the result: `tables` is a list of data.tables by table id, with a column for each dimension and n or v.
write_result <- function(run, tables) {
  made <- lapply(run$contract$tables, function(t) list(id = t$id, cells = complete(t, tables[[t$id]])))
  result <- list(type = "fairnode.result/1", tables = made)
  writeLines(toJSON(result, auto_unbox = TRUE, digits = NA), file.path(root, "out", "result"))
}
