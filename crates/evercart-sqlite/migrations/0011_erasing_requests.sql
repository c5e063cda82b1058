-- Finds the requests that erased somebody: their hashes are forgotten after a day.
CREATE INDEX erasures_by_request ON erasures (erased_at) WHERE request IS NOT NULL;
