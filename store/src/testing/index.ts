export { newDatabase } from './postgres-server.ts'
export { startPostgres, type TestPostgres } from './postgres.ts'
