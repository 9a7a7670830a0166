# Goldens of the binomial-normal model: single arms of published data sets in R's metadat.
# Rscript data/reference/glmm.R data/reference
#
# glmm_inputs.csv  set, arm, events and n of each study
# glmm.csv         one line per set and arm, all on the logit scale:
#   mu, tau2, log_likelihood   the maximum of the likelihood integrated below by the trapezoidal
#               rule, which has no nodes to choose: the golden
#   ci_low, ci_high            where its profile is qchisq(0.95, 1) / 2 below the maximum
#   metafor_*   rma.glmm(measure = "PLO") with its default optimiser
#   lme4_*      glmer with bobyqa under tight control
#   confint_low, confint_high  lme4's own confint(method = "profile"), for some of the sets (CONFINT)
#   metafor_short, lme4_short  log likelihood at the maximum minus that at the program's estimate:
#               where this is not about 0 the program has stopped too early

suppressMessages({
  library(metafor)
  library(metadat)
  library(lme4)
})
options(digits = 15, warn = 1)
folder <- commandArgs(trailingOnly = TRUE)[1]

NODES <- 100 # lme4's most; with 50 a limit of dat.axfors2021 is 2e-4 away
CONFINT <- paste0("dat.", c(
  "axfors2021", "bcg", "cannon2006", "dorn2007", "gibson2002", "hahn2001", "hine1989",
  "nielweise2007", "pritz1997", "woods2010"
))

arm <- function(set, name, events, n) {
  known <- !is.na(events) & !is.na(n) & n > 0
  data.frame(set = set, arm = name, events = as.integer(events[known]), n = as.integer(n[known]))
}
two <- function(set, treated, n_treated, control, n_control, data = get(set)) {
  rbind(
    arm(set, "treated", data[[treated]], data[[n_treated]]),
    arm(set, "control", data[[control]], data[[n_control]])
  )
}
of <- function(set, column, value, events, n) {
  data <- get(set)
  data <- data[data[[column]] == value, ]
  arm(set, gsub("[^a-z]+", "_", tolower(value)), data[[events]], data[[n]])
}
bcg <- transform(dat.bcg, nt = tpos + tneg, nc = cpos + cneg)
left <- subset(dat.bourassa1996, sex == "combined")
left <- transform(left, left = lh.le + lh.re, n = lh.le + lh.re + rh.le + rh.re)
howe <- transform(dat.vanhowe1999, n_non = non.pos + non.neg, n_cir = cir.pos + cir.neg)
asthma <- transform(dat.gibson2002, nt = ai + bi, nc = ci + di)
births <- aggregate(cbind(cases, total) ~ study, dat.obrien2003, sum)

sets <- rbind(
  two("dat.axfors2021", "hcq_arm_event", "hcq_arm_total", "control_arm_event", "control_arm_total"),
  of("dat.baker2009", "treatment", "Placebo", "exac", "total"),
  of("dat.baker2009", "treatment", "Tiotropium", "exac", "total"),
  two("dat.bcg", "tpos", "nt", "cpos", "nc", bcg),
  arm("dat.bourassa1996", "left_handed", left$left, left$n),
  two("dat.cannon2006", "ep1t", "nt", "ep1c", "nc"),
  two("dat.collins1985a", "b.xti", "nti", "b.xci", "nci"),
  two("dat.collins1985b", "pre.xti", "pre.nti", "pre.xci", "pre.nci"),
  two("dat.damico2009", "xt", "nt", "xc", "nc"),
  arm("dat.debruin2009", "adherent", dat.debruin2009$xi, dat.debruin2009$ni),
  of("dat.dogliotti2014", "treatment", "VKAs", "stroke", "total"),
  of("dat.dogliotti2014", "treatment", "Aspirin", "stroke", "total"),
  of("dat.dong2013", "treatment", "Placebo", "death", "randomized"),
  of("dat.dong2013", "treatment", "ICS", "death", "randomized"),
  two("dat.dorn2007", "x.a", "n.a", "x.p", "n.p"),
  two("dat.egger2001", "ai", "n1i", "ci", "n2i"),
  two("dat.fine1993", "e4i", "nei", "c4i", "nci"),
  two("dat.gibson2002", "ai", "nt", "ci", "nc", asthma),
  two("dat.graves2010", "ai", "n1i", "ci", "n2i"),
  of("dat.gurusamy2011", "treatment", "Control/Placebo", "death", "n"),
  two("dat.hahn2001", "ai", "n1i", "ci", "n2i"),
  two("dat.hart1999", "x1i", "n1i", "x2i", "n2i"),
  two("dat.hartmannboyce2018", "x.nrt", "n.nrt", "x.ctrl", "n.ctrl"),
  of("dat.hasselblad1998", "trt", "no_contact", "xi", "ni"),
  of("dat.hasselblad1998", "trt", "ind_counseling", "xi", "ni"),
  two("dat.hine1989", "ai", "n1i", "ci", "n2i"),
  arm("dat.kearon1998", "sensitivity", dat.kearon1998$tp, dat.kearon1998$np),
  arm("dat.kearon1998", "specificity", dat.kearon1998$tn, dat.kearon1998$nn),
  two("dat.laopaiboon2015", "ai", "n1i", "ci", "n2i"),
  two("dat.lau1992", "ai", "n1i", "ci", "n2i"),
  two("dat.lee2004", "ai", "n1i", "ci", "n2i"),
  two("dat.linde2005", "ai", "n1i", "ci", "n2i"),
  two("dat.nielweise2007", "ai", "n1i", "ci", "n2i"),
  arm("dat.obrien2003", "pre_eclampsia", births$cases, births$total),
  of("dat.pagliaro1992", "trt", "control", "xi", "ni"),
  of("dat.pagliaro1992", "trt", "sclerotherapy", "xi", "ni"),
  arm("dat.pritz1997", "vasospasm", dat.pritz1997$xi, dat.pritz1997$ni),
  two("dat.vanhowe1999", "non.pos", "n_non", "cir.pos", "n_cir", howe),
  of("dat.woods2010", "treatment", "Placebo", "r", "N"),
  two("dat.yusuf1985", "ai", "n1i", "ci", "n2i", subset(dat.yusuf1985, table == 6))
)

# The log likelihood of one study: z integrated out by the trapezoidal rule around its mode, with
# steps of a fifth of the narrowest width that the integrand can have there.
study_log_likelihood <- function(events, n, mu, tau) {
  if (tau == 0) return(dbinom(events, n, plogis(mu), log = TRUE))
  log_integrand <- function(z) {
    eta <- mu + tau * z
    events * eta - n * ifelse(eta > 0, eta + log1p(exp(-eta)), log1p(exp(eta))) - z^2 / 2
  }
  step <- 0.2 / sqrt(1 + tau^2 * n / 4)
  mode <- optimize(log_integrand, c(-12, 12), maximum = TRUE, tol = 1e-8)$maximum
  width <- 1 / sqrt(1 + tau^2 * n * dlogis(mu + tau * mode))
  z <- seq(max(mode - 30 * width, -14), min(mode + 30 * width, 14), by = step)
  values <- log_integrand(z)
  top <- max(values)
  lchoose(n, events) - log(2 * pi) / 2 + top + log(sum(exp(values - top))) + log(step)
}
log_likelihood <- function(mu, tau, data) {
  sum(mapply(study_log_likelihood, data$events, data$n, MoreArgs = list(mu = mu, tau = abs(tau))))
}

# Largest log likelihood at a fixed mu: a grid over tau, then the best interval of it.
profile_at <- function(mu, data, around) {
  taus <- c(0, around * 2^seq(-4, 4, 0.5))
  values <- sapply(taus, function(tau) log_likelihood(mu, tau, data))
  best <- which.max(values)
  found <- optimize(
    function(tau) log_likelihood(mu, tau, data),
    c(taus[max(best - 1, 1)], taus[min(best + 1, length(taus))]),
    maximum = TRUE, tol = 1e-9
  )
  max(found$objective, values[best])
}

maximum <- function(data, mu, tau) {
  climb <- function(start) {
    optim(
      start, function(p) -log_likelihood(p[1], p[2], data),
      method = "Nelder-Mead", control = list(reltol = 1e-15, maxit = 5000)
    )
  }
  found <- climb(climb(c(mu, max(tau, 0.05)))$par)
  crude <- qlogis(sum(data$events) / sum(data$n))
  at_zero <- log_likelihood(crude, 0, data)
  if (at_zero >= -found$value - 1e-9) {
    return(list(mu = crude, tau = 0, value = at_zero))
  }
  list(mu = found$par[1], tau = abs(found$par[2]), value = -found$value)
}

limit <- function(data, best, sign) {
  drop <- qchisq(0.95, 1) / 2
  gap <- function(mu) profile_at(mu, data, max(best$tau, 0.1)) - best$value + drop
  step <- 0.1
  while (gap(best$mu + sign * step) > 0) step <- 2 * step
  ends <- sort(best$mu + sign * c(step / 2 * (step > 0.1), step))
  uniroot(gap, ends, tol = 1e-8)$root
}

sources <- tools::Rd_db("metadat")
source_of <- function(set) {
  page <- sources[[paste0(set, ".Rd")]]
  text <- unlist(page[sapply(page, attr, "Rd_tag") == "\\source"])
  trimws(gsub("\\s+", " ", paste(text, collapse = "")))
}

by_glmer <- function(data, tolerance) {
  tight <- glmerControl(
    optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5), tolPwrss = tolerance,
    check.conv.singular = "ignore", check.conv.grad = "ignore"
  )
  suppressWarnings(glmer(
    cbind(events, n - events) ~ 1 + (1 | study),
    data = data, family = binomial, nAGQ = NODES, control = tight
  ))
}

fit_one <- function(data) {
  set <- data$set[1]
  data$study <- seq_len(nrow(data))
  by_metafor <- suppressWarnings(
    rma.glmm(measure = "PLO", xi = events, ni = n, data = data, nAGQ = NODES)
  )
  by_lme4 <- NULL
  for (tolerance in c(1e-10, 1e-9, 1e-8, 1e-7)) { # the tightest with which glmer does not fail
    if (is.null(by_lme4)) by_lme4 <- tryCatch(by_glmer(data, tolerance), error = function(e) NULL)
  }
  lme4_mu <- unname(fixef(by_lme4))
  lme4_tau <- unname(getME(by_lme4, "theta"))
  best <- maximum(data, lme4_mu, lme4_tau)
  reported <- c(NA, NA)
  if (set %in% CONFINT) {
    reported <- suppressWarnings(suppressMessages(confint(
      by_lme4, parm = "beta_", method = "profile", quiet = TRUE, delta = 0.1, maxpts = 400
    )))
  }
  short <- function(mu, tau) best$value - log_likelihood(mu, tau, data)
  # With several nodes glmer leaves out the likelihood of the model that fits each study exactly.
  saturated <- sum(dbinom(data$events, data$n, data$events / data$n, log = TRUE))
  cat(set, data$arm[1], "\n")
  data.frame(
    set = set, arm = data$arm[1], k = nrow(data),
    mu = best$mu, tau2 = best$tau^2, log_likelihood = best$value,
    ci_low = limit(data, best, -1), ci_high = limit(data, best, 1),
    metafor_mu = as.numeric(by_metafor$beta), metafor_tau2 = by_metafor$tau2,
    metafor_short = short(as.numeric(by_metafor$beta), sqrt(by_metafor$tau2)),
    lme4_mu = lme4_mu, lme4_tau2 = lme4_tau^2,
    lme4_log_likelihood = as.numeric(logLik(by_lme4)) + saturated,
    lme4_short = short(lme4_mu, lme4_tau),
    confint_low = reported[1], confint_high = reported[2], source = source_of(set)
  )
}

keys <- paste(sets$set, sets$arm)
results <- do.call(rbind, lapply(split(sets, factor(keys, unique(keys))), fit_one))
write.csv(results, file.path(folder, "glmm.csv"), row.names = FALSE, na = "")
write.csv(sets, file.path(folder, "glmm_inputs.csv"), row.names = FALSE)
