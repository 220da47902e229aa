from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

# Sheets and enclosures that are printed while one waits; more are made in the background.
PRINTED_AT_ONCE = 5
# How long the file with all letters of one printing is kept; each letter stays with its customer.
DAYS_KEPT = 7


class CollectionAction(models.Model):
    """Letters that people print and post: rechecked when they are printed, said once they are posted."""

    _inherit = "collection.action"

    printed_on = fields.Datetime(readonly=True, copy=False, help="The letter is on paper and waits to be posted.")

    # === ACTION METHODS === #

    def action_print_letters(self):
        """Print letters after a look at what is still owed: one file for all, and each with its customer.

        Those that are no longer due are cancelled with their reason, or wait for their day. Many are made in the
        background.

        :return: the file to open, with a message about what was left out; or words on where the file will be.
        """
        letters = self._get_letters_to_print()
        letters -= letters.browse(self.env["collection.paper"]._get_waiting_ids("letters"))
        if not letters:
            raise UserError(
                self.env._("These letters are being printed already: you get a notice when they are ready.")
            )
        if letters._take_long_to_print():
            return self.env["collection.paper"]._request("letters", self._get_letters_name(), letters)
        printed, documents = letters._print_letters()
        return self._open_printed(letters, printed, documents)

    def action_mark_posted(self):
        """Note that printed letters were posted; ask first about customers who paid since they were printed."""
        letters = self._get_letters()
        letters._check_printed()
        doubtful = letters - letters._get_posted_for_sure()
        if doubtful:
            return {
                "type": "ir.actions.act_window",
                "name": self.env._("Paid since they were printed"),
                "res_model": "collection.letter.post",
                "view_mode": "form",
                "target": "new",
                "context": {"default_action_ids": letters.ids, "default_doubtful_ids": doubtful.ids},
            }
        return letters._mark_posted()

    # === BUSINESS METHODS - PRINT === #

    def _get_letters(self):
        """Return those of these actions that are letters to be posted, locked.

        :raises UserError: when there is none, or the user may not work on them.
        """
        self.check_access("write")
        letters = self.filtered(lambda action: action.is_paper and action.state == "planned" and action.step_id)
        if not letters:
            raise UserError(self.env._("None of these is a letter that waits to be printed or posted."))
        letters.debtor_id._lock_to_speak()
        letters.sudo().lock_for_update()
        return letters

    def _get_letters_to_print(self):
        """Return those of these actions that are letters to be posted by people, locked."""
        letters = self._get_letters()
        channel = self.env["collection.channel.letter"]
        if by_post := letters.company_id.filtered(channel._is_automatic):
            raise UserError(
                self.env._("Letters of %s go through Snailmail: confirm them instead.", by_post[0].display_name)
            )
        return letters

    def _take_long_to_print(self):
        """Return whether one had to wait too long for these letters and their enclosures."""
        count = len(self)
        channel = self.env["collection.channel.letter"]
        for letter in self.sudo() if count <= PRINTED_AT_ONCE else ():
            letter = letter.with_company(letter.company_id)
            if not channel.with_env(letter.env)._applicable(letter):
                count += len(channel.with_env(letter.env)._get_files_to_make(letter))
        return count > PRINTED_AT_ONCE

    def _print_letters(self):
        """Print these letters, locked, after a look at what is still owed.

        :return: ``(those that were printed, [PDF])``.
        """
        printed = self.browse()
        documents = []
        for company, own in self.sudo().grouped("company_id").items():
            own = own.with_company(company)
            ready = own._look_at_letters()
            channel = own.env["collection.channel.letter"]
            for action, payload in ready._prepare_messages(channel).items():
                documents.append(action._print_letter(channel, payload))
                printed |= action
        return printed.with_env(self.env), documents

    def _look_at_letters(self):
        """Refresh the customers of these letters; return the letters that are still due.

        All are of one company and locked.
        """
        self.env["collection.debtor"]._synchronize(self.env.company, self.debtor_id.partner_id)
        return self._recheck()

    def _print_letter(self, channel, payload):
        """Print one letter and keep it; what it names is recorded as it stands on the paper.

        :param payload: what the channel prepared.
        :return: the PDF.
        """
        self.ensure_one()
        letter = channel._make_letter(self, payload)
        self.item_ids.unlink()
        self._write_items({self.debtor_id: payload["rows"]}, self.step_id.delay)
        self.with_context(**self._get_guard()).write(
            {
                "printed_on": fields.Datetime.now(),
                "summary": payload["subject"],
                "attachment_ids": [(6, 0, letter.ids)],
                "result_text": False,
                "amount": self.debtor_id.claimable_amount,
            }
        )
        return letter.raw

    def _open_printed(self, letters, printed, documents):
        """Return the client action that opens the printed file, and notifies of what was left out."""
        left_out = letters - printed
        message = "\n".join(
            self.env._("%(name)s: %(text)s", name=letter.partner_id.name, text=letter.result_text)
            for letter in left_out[:10]
        )
        if not documents:
            return self._notify(self.env._("Nothing was printed"), message, {"type": "ir.actions.act_window_close"})
        attachment = (
            self.env["ir.attachment"]
            .sudo()
            .create(
                {
                    "name": f"{self._get_letters_name()}.pdf",
                    "raw": self.env["collection.channel.letter"]._merge(documents),
                    "mimetype": "application/pdf",
                    "res_model": "collection.action",
                    "description": "collection_letters",
                }
            )
        )
        opened = {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{attachment.id}?download=true",
            "target": "download",
        }
        if not left_out:
            return opened
        return self._notify(
            self.env._("%(count)s letters printed, %(left)s left out", count=len(printed), left=len(left_out)),
            message,
            opened,
        )

    def _get_letters_name(self):
        """Return the name of a file of letters that are printed today."""
        today = self.env.company._collection_today()
        return self.env._("Letters %s", format_date(self.env, today)).replace("/", "-")

    def _notify(self, title, message, then):
        """Return the client action that shows a few words, then does something else."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "warning", "sticky": True, "title": title, "message": message, "next": then},
        }

    # === BUSINESS METHODS - POST === #

    def _get_posted_for_sure(self):
        """Return the letters whose customers still owe what was printed."""
        sure = self.browse()
        for company, own in self.sudo().grouped("company_id").items():
            own.env["collection.debtor"].with_company(company)._synchronize(company, own.debtor_id.partner_id)
            sure |= own.filtered(lambda letter: letter.debtor_id.claimable_amount > 0)
        return self & sure.with_env(self.env)

    def _check_printed(self):
        """Check that these letters are on paper.

        :raises UserError: when one of them was never printed.
        """
        if any(not letter.printed_on for letter in self.sudo()):
            raise UserError(self.env._("Print the letters first: then what was posted stays on file."))

    def _mark_posted(self):
        """Record that printed letters were posted: the plan goes on, and the customers' threads show them.

        :raises UserError: when one of them was never printed.
        """
        self._check_printed()
        now = fields.Datetime.now()
        for letter in self.sudo():
            message = letter.debtor_id.with_context(lang=self.env.lang).message_post(
                body=self.env._(
                    "Letter posted to %(address)s: %(subject)s", address=letter.address, subject=letter.summary
                ),
                author_id=self.env.user.partner_id.id,
                message_type="comment",
                subtype_xmlid="mail.mt_note",
                attachment_ids=letter.attachment_ids.ids,
            )
            letter._set_state(
                "done",
                date_done=now,
                delivery_state="sent",
                try_count=1,
                user_id=self.env.uid,
                mail_message_id=message.id,
                result_text=False,
            )
        self.sudo()._after_delivery()

    # === SCHEDULED ACTIONS === #

    @api.autovacuum
    def _gc_printed_letters(self):
        """Delete the files with all letters of one printing after a while."""
        self.env["ir.attachment"].sudo().search(
            [
                ("res_model", "=", "collection.action"),
                ("res_id", "in", (False, 0)),
                ("description", "=", "collection_letters"),
                ("create_date", "<", fields.Datetime.now() - timedelta(days=DAYS_KEPT)),
            ]
        ).unlink()
