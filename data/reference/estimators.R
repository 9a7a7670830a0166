# Goldens from R metafor: every scale, estimator and interval of a two-step pool of proportions, on
# the therapies' pools of metafor_inputs.csv and on data sets of metadat.
# Rscript data/reference/estimators.R data/reference

suppressMessages({
  library(metafor)
  library(metadat)
})
options(digits = 15)
folder <- commandArgs(trailingOnly = TRUE)[1]

pools <- read.csv(file.path(folder, "metafor_inputs.csv"), stringsAsFactors = FALSE)
pools <- pools[startsWith(pools$pool, "pool."), c("pool", "events", "n")]

set <- function(name, events, n) data.frame(pool = name, events = events, n = n)
published <- rbind(
  set("dat.pritz1997", dat.pritz1997$xi, dat.pritz1997$ni),
  set("dat.debruin2009", dat.debruin2009$xi, dat.debruin2009$ni),
  set("dat.nielweise2007.control", dat.nielweise2007$ci, dat.nielweise2007$n2i),
  set("dat.nielweise2007.treated", dat.nielweise2007$ai, dat.nielweise2007$n1i),
  set("dat.hahn2001", dat.hahn2001$ai, dat.hahn2001$n1i),
  set("dat.lee2004.control", dat.lee2004$ci, dat.lee2004$n2i),
  set("dat.hine1989.control", dat.hine1989$ci, dat.hine1989$n2i),
  set("dat.bcg.control", dat.bcg$cpos, dat.bcg$cpos + dat.bcg$cneg)
)
inputs <- rbind(pools, published)
write.csv(inputs, file.path(folder, "estimators_inputs.csv"), row.names = FALSE)

# Tight control, else metafor stops some way from the root.
tight <- list(threshold = 1e-13, maxiter = 1e5, tol = 1e-13, tau2.max = 1e4)

one <- function(pool, scale, method) {
  measure <- c(logit = "PLO", arcsine = "PAS")[[scale]]
  add <- if (scale == "logit") 1 / 2 else 0
  effects <- escalc(measure = measure, xi = pool$events, ni = pool$n, add = add, to = "only0")
  back <- if (scale == "logit") plogis else function(x) sin(pmin(pmax(x, 0), pi / 2))^2
  limits <- function(test) {
    fit <- suppressWarnings(
      rma(yi, vi, data = effects, method = method, test = test, control = tight)
    )
    c(fit$tau2, back(as.numeric(fit$beta)), back(fit$ci.lb), back(fit$ci.ub))
  }
  found <- t(sapply(c("z", "knha", "adhoc"), limits))
  data.frame(
    pool = pool$pool[1], transform = scale, estimator = tolower(method),
    interval = c("wald", "kh", "kh_conservative"),
    tau2 = found[, 1], estimate = found[, 2], low = found[, 3], high = found[, 4]
  )
}

results <- list()
for (name in unique(inputs$pool)) {
  pool <- inputs[inputs$pool == name, ]
  for (scale in c("logit", "arcsine")) {
    for (method in c("DL", "ML", "REML", "PM")) {
      results[[length(results) + 1]] <- one(pool, scale, method)
    }
  }
}
results <- do.call(rbind, results)
write.csv(format(results, digits = 15), file.path(folder, "estimators.csv"),
  row.names = FALSE, quote = FALSE
)
