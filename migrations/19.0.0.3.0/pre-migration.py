def migrate(cr, version):
    """Let improved record rules reach databases in which they were installed once and for all."""
    cr.execute(
        """
        UPDATE ir_model_data SET noupdate = FALSE
         WHERE module = 'account_collection' AND model = 'ir.rule' AND noupdate
        """
    )
