# Rscript gosh.R STUDIES.csv SUBSETS: seconds that metafor::gosh takes for so many random subsets of
# the studies in a CSV file with the columns y and v, by DL and by REML: the best of nine runs by
# DL, which are short, and one by REML.

suppressPackageStartupMessages(library(metafor))
arguments <- commandArgs(TRUE)
studies <- read.csv(arguments[1])
for (method in c("DL", "REML")) {
  fit <- rma(yi = studies$y, vi = studies$v, method = method)
  runs <- sapply(seq_len(if (method == "DL") 9 else 1), function(run) {
    set.seed(run)
    system.time(gosh(fit, subsets = as.integer(arguments[2]), progbar = FALSE))[["elapsed"]]
  })
  cat(method, min(runs), "\n")
}
cat("metafor", as.character(packageVersion("metafor")), "\n")
