-- Who did something to a customer, and why; missing in lines of before these were noted. Both stay in the books when the
-- customer is erased: a reason is a case number, not a story.
ALTER TABLE audit_log ADD COLUMN who TEXT;
ALTER TABLE audit_log ADD COLUMN reason TEXT;
