export type { Asking, DockerOptions, Identify, Identity, StreamGuard } from './context.ts'
export { dockerFacade } from './facade.ts'
export { dockerId } from './ids.ts'
