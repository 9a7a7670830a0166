# Goldens from R metafor: every pool with several studies, and the data of Stijnen 2010, table II.
# Rscript data/reference/metafor.R _report/data/pools.csv data/reference

suppressMessages({
  library(metafor)
  library(metadat)
})
options(digits = 15)

arguments <- commandArgs(trailingOnly = TRUE)
pools <- read.csv(arguments[1], stringsAsFactors = FALSE)
pools <- pools[pools$pool %in% names(which(table(pools$pool) > 1)), ]
folder <- arguments[2]

# REML under tight control, else metafor stops some 4e-5 away from the root.
tight <- list(threshold = 1e-13, maxiter = 1e5)

pool_one <- function(pool) {
  effects <- escalc(measure = "PLO", xi = pool$events, ni = pool$n, add = 1 / 2, to = "only0")
  fit <- rma(yi, vi, data = effects, method = "REML", test = "knha", control = tight)
  # Conservative Knapp-Hartung: the variance factor s2w may not fall below one.
  se <- fit$se * sqrt(max(1, fit$s2w) / fit$s2w)
  if (!is.finite(se)) se <- sqrt(1 / sum(1 / (effects$vi + fit$tau2)))
  mu <- as.numeric(fit$beta)
  quantile <- qt(0.975, fit$k - 1)
  spread <- sqrt(fit$tau2 + se^2)
  tau2 <- tryCatch(confint(fit, control = list(tau2.max = 1e5, tol = 1e-12))$random["tau^2", ], error = function(e) rep(NA, 3))
  glmm <- tryCatch(
    suppressWarnings(rma.glmm(measure = "PLO", xi = pool$events, ni = pool$n, nAGQ = 21)),
    error = function(e) NULL
  )
  data.frame(
    pool = pool$pool[1], k = fit$k,
    estimate = plogis(mu),
    ci_low = plogis(mu - quantile * se), ci_high = plogis(mu + quantile * se),
    pi_low = if (fit$k > 2) plogis(mu - quantile * spread) else NA,
    pi_high = if (fit$k > 2) plogis(mu + quantile * spread) else NA,
    tau2 = fit$tau2, tau2_low = tau2[2], tau2_high = tau2[3],
    i2 = fit$I2 / 100, q = fit$QE,
    glmm_estimate = if (is.null(glmm)) NA else plogis(as.numeric(glmm$beta)),
    glmm_tau2 = if (is.null(glmm)) NA else glmm$tau2
  )
}

results <- do.call(rbind, lapply(split(pools, factor(pools$pool, unique(pools$pool))), pool_one))
write.csv(results, file.path(folder, "metafor_pools.csv"), row.names = FALSE, na = "")

# The goldens keep what they were made from: data/ moves on, they stay true.
write.csv(pools, file.path(folder, "metafor_inputs.csv"), row.names = FALSE)

niel <- dat.nielweise2007
write.csv(
  data.frame(
    arm = rep(c("control", "treated"), each = nrow(niel)),
    study = rep(niel$author, 2),
    events = c(niel$ci, niel$ai), n = c(niel$n2i, niel$n1i)
  ),
  file.path(folder, "stijnen2010.csv"), row.names = FALSE
)
cat("metafor", as.character(packageVersion("metafor")), "\n", file = file.path(folder, "VERSION.txt"))
