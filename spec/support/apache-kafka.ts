/** Real brokers for specs: the harness itself serves the examples too and lives with them. */
export * from '../../examples/support/apache-kafka.ts';
