DROP TABLE mendings;
DROP TABLE broken;
