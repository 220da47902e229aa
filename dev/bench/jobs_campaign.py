"""A campaign over everybody of whom something can be claimed: its start, its recap, its file."""

import tempfile

from .stopwatch import Task
from .table import figure


def measure(env, stopwatch):
    """Measure start, recap and XLSX; the campaign stays, for the screens."""
    env = env(user=env.ref("base.user_admin"))
    campaign = env["collection.campaign"].create({"name": "Benchmark"})
    env.cr.commit()
    stopwatch.measure(Task("start a campaign for all who owe", env, campaign.action_start, budget=60))
    campaign.action_start()
    env.cr.execute("ANALYZE collection_case, collection_case_item")
    env.cr.commit()
    stopwatch.figures.append(figure("… cases", campaign.case_count, unit=""))
    stopwatch.measure(Task("recap of the campaign", env, campaign._recap))

    def write_file():
        with tempfile.TemporaryFile() as output:
            env["collection.recap.workbook"]._write(campaign._recap(), output)

    stopwatch.measure(Task("recap as XLSX with all details", env, write_file, budget=60))

    def write_pdf():
        env["ir.actions.report"]._render_qweb_pdf("account_collection.report_campaign_recap", campaign.ids)

    stopwatch.measure(Task("recap as PDF, the 100 most important cases", env, write_pdf, budget=60))
