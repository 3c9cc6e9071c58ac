DROP TABLE checkpoints;
DROP TABLE workflow_runs;
