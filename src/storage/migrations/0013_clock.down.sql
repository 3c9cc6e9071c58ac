DROP TABLE condition_states;
DROP TABLE clock_keepers;
