# Odoo runs the modules test_* that are attributes of this package.
from .base import (
    test_access,
    test_beside_others,
    test_contacts_of_customers,
    test_demo,
    test_dialogues,
    test_facts,
    test_forgery,
    test_other_ways,
    test_plain_words,
    test_public_methods,
    test_reach,
    test_rights,
    test_robustness,
    test_routes,
    test_texts,
    test_tours,
    test_two_at_once,
)
from .ledger import (
    test_conservation,
    test_ledger,
    test_payments,
    test_reference,
    test_statistics,
)
from .debtor import (
    test_debtor_refresh,
    test_freshness,
    test_go_live,
    test_invoice_and_customer,
    test_partner_and_move,
    test_score,
    test_score_tuning,
)
from .contact import (
    test_contact,
)
from .plan import (
    test_plan_boundaries,
    test_plan_rules,
    test_silence,
    test_simulation,
)
from .delivery import (
    test_delivery_proof,
    test_digest,
    test_files_of_messages,
    test_letters,
    test_marked_texts,
    test_papers,
    test_plan_delivery,
    test_reminder,
)
from .answer import (
    test_correction,
    test_dispute,
    test_dispute_solving,
    test_promise,
    test_promise_plan,
)
from .campaign import (
    test_campaign,
    test_case,
    test_recap,
    test_recap_figures,
    test_recap_reference,
    test_recap_xlsx,
    test_spreadsheets,
    test_taken_back,
)
from .provider import (
    test_handover,
    test_preview,
    test_provider_import,
)
from .receivable import (
    test_receivable_import,
)
from .statement import (
    test_debtor_export,
    test_statement,
    test_statement_send,
)
from .figures import (
    test_analysis,
    test_dashboard,
    test_metrics,
    test_one_truth,
)
from .run import (
    test_customer_change,
    test_planning,
    test_run,
    test_run_report,
)
