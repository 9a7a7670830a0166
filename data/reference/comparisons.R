# Goldens from R metafor: the risk difference and log risk ratio of every trial with a control
# group, both pooled by therapy and by drug class, and the same of made-up trials at the edges.
# Rscript data/reference/comparisons.R figures data/therapies.csv data/reference

suppressMessages(library(metafor))
options(digits = 15)

arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[3]
classes <- read.csv(arguments[2], stringsAsFactors = FALSE)
counts <- c("treated_events", "treated_n", "control_events", "control_n")

# The data beside the plots of differences: key is difference.pool.THERAPY.OUTCOME.study.STUDY.
files <- file.path(arguments[1], paste0("difference-", c("overall_response", "durable_response_on"), ".csv"))
shown <- do.call(rbind, lapply(files, read.csv, stringsAsFactors = FALSE))
shown <- shown[shown$kind == "study", ]
trials <- cbind(
  pool = sub("^difference[.](.*)[.]study[.].*$", "\\1", shown$key),
  study_id = sub("^.*[.]study[.]", "", shown$key), shown[, counts]
)
therapy <- sub("^pool[.](.*)[.].*$", "\\1", trials$pool)
slug <- gsub("[^a-z0-9]+", "_", tolower(classes$drug_class[match(therapy, classes$therapy)]))
of_class <- trials
of_class$pool <- paste("class", slug, sub("^.*[.]", "", trials$pool), sep = ".")

made_up <- read.csv(text = "pool,study_id,treated_events,treated_n,control_events,control_n
made_up.all_respond,a,12,12,9,9
made_up.all_respond,b,30,30,17,17
made_up.none_respond,a,0,12,0,9
made_up.none_respond,b,0,30,0,17
made_up.identical,a,10,20,2,20
made_up.identical,b,10,20,2,20
made_up.identical,c,10,20,2,20
made_up.one_huge,a,600,1000,100,1000
made_up.one_huge,b,3,6,0,5
made_up.one_huge,c,1,7,1,3
made_up.one_without_ratio,a,0,12,0,9
made_up.one_without_ratio,b,8,30,1,17
made_up.one_without_ratio,c,9,31,2,18
made_up.opposite,a,20,20,0,20
made_up.opposite,b,0,20,20,20", stringsAsFactors = FALSE)

trials <- rbind(trials, of_class, made_up)
effects <- function(data) {
  table <- list(ai = data$treated_events, n1i = data$treated_n, ci = data$control_events, n2i = data$control_n)
  rd <- do.call(escalc, c(list(measure = "RD", add = 1 / 2, to = "only0", addyi = FALSE), table))
  rr <- do.call(escalc, c(list(measure = "RR", add = 1 / 2, to = "only0", drop00 = TRUE), table))
  data.frame(rd = rd$yi, rd_variance = rd$vi, rr = rr$yi, rr_variance = rr$vi)
}
trials <- cbind(trials, effects(trials))

# REML under tight control, else metafor stops some 4e-5 away from the root.
tight <- list(threshold = 1e-13, maxiter = 1e5)
pool_one <- function(data, measure) {
  y <- data[[measure]]
  v <- data[[paste0(measure, "_variance")]][!is.na(y)]
  y <- y[!is.na(y)]
  if (length(y) < 2) return(NULL)
  fit <- rma(y, v, method = "REML", test = "knha", control = tight)
  # Conservative Knapp-Hartung: the variance factor may not fall below one.
  factor <- max(1, sum((y - as.numeric(fit$beta))^2 / (v + fit$tau2)) / (fit$k - 1))
  se <- sqrt(factor / sum(1 / (v + fit$tau2)))
  quantile <- qt(0.975, fit$k - 1)
  data.frame(
    pool = data$pool[1], measure = measure, k = fit$k, estimate = as.numeric(fit$beta), se = se,
    ci_low = as.numeric(fit$beta) - quantile * se, ci_high = as.numeric(fit$beta) + quantile * se,
    spread = sqrt(fit$tau2 + se^2), tau2 = fit$tau2, i2 = fit$I2 / 100
  )
}
groups <- split(trials, factor(trials$pool, unique(trials$pool)))
pools <- do.call(rbind, lapply(groups, function(group) {
  do.call(rbind, lapply(c("rd", "rr"), function(measure) pool_one(group, measure)))
}))
write.csv(trials, file.path(folder, "comparisons_trials.csv"), row.names = FALSE, na = "")
write.csv(pools, file.path(folder, "comparisons_pools.csv"), row.names = FALSE, na = "")
