import type { EngineContainer } from '../observed.ts'

/** A container that the engine has made and not started; `over` says what is different about it. */
export function anEngineContainer(over: Partial<EngineContainer> = {}): EngineContainer {
  return {
    engineId: 'e1',
    generation: 1,
    state: 'created',
    startedAt: null,
    finishedAt: null,
    exitCode: null,
    oomKilled: false,
    error: '',
    health: null,
    restartCount: 0,
    nics: [],
    cpu: 1,
    memory: 512,
    command: [],
    entrypoint: [],
    workdir: '',
    hostname: '',
    ports: [],
    imageDigest: '',
    ...over,
  }
}
