DROP TABLE journals;
