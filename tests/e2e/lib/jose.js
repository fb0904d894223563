// npm `jose` for tests of other folders, whose packages are those of tests/e2e.
export * from 'jose';
