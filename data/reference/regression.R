# Goldens from R metafor: meta-regressions of the pools with enough studies on one moderator each,
# and on the inverse of their size (regtest), and of the designs within therapies.
# Rscript data/reference/regression.R data _report/data/pools.csv figures data/reference

suppressMessages(library(metafor))
options(digits = 15)

arguments <- commandArgs(trailingOnly = TRUE)
studies <- read.csv(file.path(arguments[1], "studies.csv"), stringsAsFactors = FALSE)
pools <- read.csv(arguments[2], stringsAsFactors = FALSE)
folder <- arguments[4]

# REML under tight control, else metafor stops some 4e-5 away from the root.
tight <- list(threshold = 1e-13, maxiter = 1e5)

read_figures <- function(pattern) {
  files <- list.files(arguments[3], pattern = pattern, full.names = TRUE)
  do.call(rbind, lapply(files, read.csv, stringsAsFactors = FALSE, colClasses = c(value = "character")))
}
bubbles <- read_figures("^bubble-.*\\.csv$")
bubbles <- bubbles[bubbles$kind == "study", c("pool", "moderator", "study", "value", "events", "n")]
asked <- unique(bubbles$pool)

sizes <- pools[pools$pool %in% asked, ]
sizes <- data.frame(
  pool = sizes$pool, moderator = "size", study = sizes$study_id, value = sizes$n,
  events = sizes$events, n = sizes$n
)

looked_back <- c("retrospective_cohort", "case_series")
within <- pools[grepl("^pool\\.", pools$pool), ]
within$retrospective <- studies$design[match(within$study_id, studies$study_id)] %in% looked_back
both <- tapply(within$retrospective, within$pool, function(x) length(unique(x)) > 1)
within <- within[within$pool %in% names(which(both)), ]
within <- within[sub(".*\\.", "", within$pool) %in% c("overall_response", "complete_response"), ]
within <- data.frame(
  pool = within$pool, moderator = "within", study = within$study_id,
  value = as.integer(within$retrospective), events = within$events, n = within$n
)
inputs <- rbind(bubbles, sizes, within)
write.csv(inputs, file.path(folder, "regression_inputs.csv"), row.names = FALSE)

# Conservative Knapp-Hartung: the variance factor s2w may not fall below one.
table_of <- function(fit, without) {
  se <- fit$se * sqrt(max(1, fit$s2w) / fit$s2w)
  data.frame(
    coefficient = rownames(fit$beta), estimate = as.numeric(fit$beta), se = se,
    df = fit$k - fit$p, k = fit$k, tau2 = fit$tau2, tau2_without = without
  )
}
effects_of <- function(rows) {
  escalc(measure = "PLO", xi = events, ni = n, data = rows, add = 1 / 2, to = "only0")
}
reml <- function(effects, design = ~ 1) {
  design <- model.matrix(design, effects)
  rma(effects$yi, effects$vi, mods = design, intercept = FALSE, test = "knha", control = tight)
}

by_moderator <- function(rows) {
  effects <- effects_of(rows)
  without <- reml(effects)
  moderator <- rows$moderator[1]
  if (moderator == "size") {
    effects$smaller <- 1 / effects$n - 1 / max(effects$n)
    fit <- reml(effects, ~smaller)  # its intercept is the rate of the largest study
    test <- regtest(effects$yi, effects$vi, ni = effects$n, model = "rma", predictor = "ninv", ret.fit = TRUE)
    stopifnot(abs(test$fit$beta[2] - fit$beta[2]) < 1e-2)  # which does not take the tight control
  } else if (moderator %in% c("months", "year")) {
    effects$later <- as.numeric(effects$value) - min(as.numeric(effects$value))
    fit <- reml(effects, ~later)  # its intercept is the rate at the lowest value
  } else {
    effects$value <- factor(effects$value)
    fit <- reml(effects, ~ value - 1)  # a mean for each level
  }
  cbind(pool = rows$pool[1], moderator = moderator, table_of(fit, without$tau2))
}

within_therapies <- function(outcome) {
  rows <- within[endsWith(within$pool, paste0(".", outcome)), ]
  effects <- effects_of(rows)
  without <- reml(effects, ~ pool - 1)
  fit <- reml(effects, ~ pool + value - 1)
  found <- table_of(fit, without$tau2)
  cbind(pool = outcome, moderator = "within", found[nrow(found), ])
}

groups <- split(rbind(bubbles, sizes), ~ moderator + pool, drop = TRUE)
results <- c(
  lapply(groups, by_moderator),
  lapply(c("overall_response", "complete_response"), within_therapies)
)
results <- do.call(rbind, results)
write.csv(results, file.path(folder, "regression.csv"), row.names = FALSE, na = "")
