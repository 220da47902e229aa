from . import (  # noqa: I001 - the order in which the models build on each other
    collection_letter_post,
    collection_reminder_send,
    collection_step_preview,
)
