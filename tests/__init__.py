from . import (
    test_campaign,
    test_case,
    test_debtor_refresh,
    test_dispute,
    test_freshness,
    test_partner_and_move,
    test_promise,
    test_reminder,
    test_rights,
    test_score,
    test_score_tuning,
    test_tours,
)
