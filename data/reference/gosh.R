# Every subset of two pools of eight studies, for tests/test_subsets.py:
#   Rscript data/reference/gosh.R data/reference
# The pools are among the goldens' inputs. Some subsets of the second have several maxima of the
# restricted likelihood.
suppressMessages(library(metafor))

folder <- commandArgs(trailingOnly = TRUE)[1]
inputs <- read.csv(file.path(folder, "metafor_inputs.csv"))
chosen <- list(
  pool.rituximab.durable_response_off = 1:8,
  class.thrombopoietin_receptor_agonist.overall_response = c(1, 2, 4, 5, 6, 7, 10, 13)
)

gosh_of <- function(pool) {
  studies <- inputs[inputs$pool == pool, ][chosen[[pool]], ]
  effects <- escalc(measure = "PLO", xi = events, ni = n, data = studies, add = 0.5, to = "only0")
  all_of <- function(...) gosh(rma(yi, vi, data = effects, ...), progbar = FALSE)
  dl <- all_of(method = "DL")
  reml <- all_of(method = "REML", control = list(threshold = 1e-13, maxiter = 1e5))
  stopifnot(identical(dl$incl, reml$incl))
  several <- rowSums(dl$incl) > 1
  data.frame(
    pool = pool, subset = as.vector(dl$incl %*% 2^(0:7)), k = rowSums(dl$incl),
    dl_estimate = dl$res$estimate, dl_tau2 = dl$res$tau2, dl_i2 = dl$res$I2 / 100,
    reml_estimate = reml$res$estimate, reml_tau2 = reml$res$tau2, reml_i2 = reml$res$I2 / 100
  )[several, ]
}

results <- do.call(rbind, lapply(names(chosen), gosh_of))
results <- results[order(results$pool, results$subset), ]
write.csv(results, file.path(folder, "gosh.csv"), row.names = FALSE)
