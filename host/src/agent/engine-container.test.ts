import { describe, expect, test } from 'vitest'
import type { ContainerInspect } from '../engine/engine-types.ts'
import { engineContainerFrom } from './engine-container.ts'

const inspected = (config: Partial<ContainerInspect['Config']>, error = ''): ContainerInspect =>
  ({
    Id: 'e',
    Image: 'sha256:1',
    State: { Status: 'exited', StartedAt: 't', FinishedAt: 't', ExitCode: 1, OOMKilled: false, Error: error },
    Config: { Labels: {}, Cmd: [], Entrypoint: null, WorkingDir: '', Hostname: 'h', ExposedPorts: {}, ...config },
    HostConfig: { NanoCpus: 1e9, Memory: 512 << 20 },
    NetworkSettings: { Networks: {} },
  }) as unknown as ContainerInspect

describe('what is told of a container', () => {
  test('is short, however long its image or its user made it', () => {
    const long = 'x'.repeat(100_000)
    const many = Array.from({ length: 20_000 }, (_none, at) => `argument ${at}`)
    const told = engineContainerFrom(
      inspected(
        {
          Cmd: [...many, long],
          Entrypoint: [long, long],
          WorkingDir: long,
          Hostname: long,
          ExposedPorts: Object.fromEntries(many.map((port) => [port, {}])),
        },
        long,
      ),
      [],
    )
    // A relay ends the session of a host that sends it a message of a mebibyte.
    expect(JSON.stringify(told).length).toBeLessThan(150_000)
    expect(told.command[0]).toBe('argument 0')
    expect(told.command.at(-1)).toBe('…')
    expect(told.entrypoint).toEqual(['…'])
  })

  test('is whole when it is of a usual length', () => {
    const told = engineContainerFrom(inspected({ Cmd: ['sh', '-c', 'y'.repeat(10_000)] }, 'no'), ['p1'])
    expect(told).toMatchObject({
      command: ['sh', '-c', 'y'.repeat(10_000)],
      entrypoint: [],
      error: 'no',
      hostname: 'h',
      nics: ['p1'],
    })
  })
})
