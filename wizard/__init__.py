from . import (
    base_partner_merge,
    collection_call_log,
    collection_case_close,
    collection_debtor_why,
    collection_dispute_open,
    collection_letter_post,
    collection_plan_simulation,
    collection_plan_start,
    collection_promise_record,
    collection_reminder_send,
    collection_score_tuning,
    collection_step_preview,
)
