export { type ZunOptions, zunFacade } from './facade.ts'
