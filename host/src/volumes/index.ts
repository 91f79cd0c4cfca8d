export { type Bind, type HostVolumes, type HostVolumesOptions, hostVolumes } from './host-volumes.ts'
export { volumeProblem } from './volume-problem.ts'
