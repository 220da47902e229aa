-- What version 19.0.0.2.0 left in a database, where an upgrade to a later one has to do with it; compared once with
-- a database that this version had made. Columns of later versions go, so that the upgrade makes and fills them.
UPDATE ir_module_module SET latest_version = '19.0.0.2.0' WHERE name = 'account_collection';

-- Record rules were loaded once and for all, and were laxer.
UPDATE ir_model_data SET noupdate = TRUE WHERE module = 'account_collection' AND model = 'ir.rule';
UPDATE ir_rule SET domain_force = '[(1, ''='', 1)]'
 WHERE id = (SELECT res_id FROM ir_model_data WHERE module = 'account_collection' AND name = 'collection_debtor_rule_company');

-- Texts to customers bore no mark.
ALTER TABLE mail_template DROP COLUMN is_collection_text;
ALTER TABLE sms_template DROP COLUMN is_collection_text;

-- Salespeople read words on each customer, whether anybody had asked for it or not.
UPDATE res_company SET collection_banner = 'words';
