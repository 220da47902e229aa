"""OCA's partner_time_to_pay: average days to pay."""

from .stopwatch import Task


def measure(env, stopwatch):
    """Measure the averages of all customers."""
    customers = env["res.partner"].search([("customer_rank", ">", 0)])
    stopwatch.measure(Task("partner_time_to_pay: averages of all", env, customers._compute_d2x))
