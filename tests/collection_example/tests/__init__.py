from . import test_channel, test_files, test_score_scope_recap
