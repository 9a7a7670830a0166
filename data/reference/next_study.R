# Goldens from R metafor: what a next study would have to show to change a pool.
# Rscript data/reference/next_study.R data/reference

suppressMessages(library(metafor))
options(digits = 15)
folder <- commandArgs(trailingOnly = TRUE)[1]

share <- 0.5
largest <- 10000
tight <- list(threshold = 1e-14, maxiter = 1e5)

# The conservative Knapp-Hartung interval, its factor floored at one, on the rate scale.
interval <- function(yi, vi) {
  fit <- rma(yi, vi, method = "REML", control = tight)
  w <- 1 / (vi + fit$tau2)
  mu <- sum(w * yi) / sum(w)
  df <- length(yi) - 1
  factor <- max(1, sum(w * (yi - mu)^2) / df)
  plogis(mu + c(-1, 0, 1) * qt(0.975, df) * sqrt(factor / sum(w)))
}

effects <- function(events, n) {
  escalc(measure = "PLO", xi = events, ni = n, add = 1 / 2, to = "only0")
}

ask <- function(name, events, n, size) {
  now <- effects(events, n)
  present <- interval(now$yi, now$vi)
  p <- present[2]
  left <- function(patients, studies = 1) {
    v <- 1 / (patients * p) + 1 / (patients * (1 - p))
    i <- interval(c(now$yi, rep(qlogis(p), studies)), c(now$vi, rep(v, studies)))
    (i[3] - i[1]) / (present[3] - present[1])
  }
  patients <- NA
  if (left(1) > share && left(largest) <= share) {
    patients <- uniroot(function(m) left(m) - share, c(1, largest), tol = 1e-10, maxiter = 1e5)$root
  }
  studies <- which(sapply(1:12, function(m) left(median(n), m) <= share))[1]
  limits <- sapply(0:size, function(e) {
    after <- effects(c(events, e), c(n, size))
    interval(after$yi, after$vi)[c(1, 3)]
  })
  above <- which(limits[1, ] > 0.5) - 1
  below <- which(limits[2, ] < 0.5) - 1
  data.frame(
    case = name, events = paste(events, collapse = " "), n = paste(n, collapse = " "),
    width = present[3] - present[1], left_by_one = left(1), remaining = left(largest),
    patients = patients, studies = studies, size = size,
    above_fewest = if (length(above)) min(above) else NA,
    above_most = if (length(above)) max(above) else NA,
    highest_low = max(limits[1, ]), highest_at = which.max(limits[1, ]) - 1,
    below_fewest = if (length(below)) min(below) else NA,
    below_most = if (length(below)) max(below) else NA,
    lowest_high = min(limits[2, ]), lowest_at = which.min(limits[2, ]) - 1
  )
}

# The pools of sirolimus as they were when this was made, and others that end otherwise.
results <- rbind(
  ask("no size suffices", c(25, 73, 12), c(43, 86, 20), 86),
  ask("any size suffices", c(34, 6), c(86, 20), 86),
  ask("three of four", c(14, 5, 6, 9), c(20, 10, 9, 15), 60),
  ask("even", c(50, 100, 150, 40), c(100, 200, 300, 80), 120),
  ask("high", c(80, 120, 30, 60, 90), c(100, 150, 40, 80, 110), 100),
  ask("low", c(2, 3, 1, 5), c(20, 25, 30, 40), 40),
  ask("with an arm of none", c(0, 3, 5), c(12, 25, 30), 30)
)
write.csv(results, file.path(folder, "next_study.csv"), row.names = FALSE, na = "")
