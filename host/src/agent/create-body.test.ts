import { type Assignment, defaultSpec } from '@gantry/model'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createBody, limitsOf, type Surroundings } from './create-body.ts'

const net: Surroundings = { mode: 'net', endpoints: { net: { Aliases: ['web'] } }, dns: [], binds: [] }

const assignment = (spec: Partial<Assignment['spec']>): Assignment => ({
  id: 'c1' as Assignment['id'],
  projectId: 'p1' as Assignment['projectId'],
  name: 'web',
  spec: { ...defaultSpec('nginx:1'), ...spec },
  imageRef: 'nginx:1',
  wish: { version: 1, generation: 3, power: { kind: 'created' }, paused: false, gone: null },
  nics: [],
  mounts: [],
  sandbox: null,
  imageSource: null,
  seenGeneration: 0,
  failed: null,
})

describe('what the engine is asked for', () => {
  test('nothing that the user left to the image', () => {
    const body = createBody(assignment({}), 'd1', net)
    expect(Object.keys(body)).not.toEqual(expect.arrayContaining(['Cmd']))
    for (const key of ['Entrypoint', 'WorkingDir', 'Healthcheck', 'ExposedPorts', 'User'])
      expect(body).not.toHaveProperty(key)
    expect(body.HostConfig).toMatchObject({ Privileged: false, NetworkMode: 'net', PidsLimit: 4096 })
    expect(body.HostConfig).not.toHaveProperty('SecurityOpt')
  })

  test('walls around what a Docker client asked for, and none for saying only how it is reached', () => {
    const walls = (options: NonNullable<Assignment['spec']['options']>) =>
      createBody(assignment({ options }), 'd1', net).HostConfig.SecurityOpt
    const publish = [{ protocol: 'tcp', containerPort: 80, publicPort: 8080, address: null } as const]
    expect(walls({ publish, aliases: {}, links: [] })).toBeUndefined()
    expect(walls({})).toEqual(['no-new-privileges'])
    expect(walls({ publish, asked: {} })).toEqual(['no-new-privileges'])
  })

  test('without a name of its own, the beginning of the id that users know', () => {
    const id = '0f9e8d7c-6b5a-4433-9211-00ffeeddccbb' as Assignment['id']
    expect(createBody({ ...assignment({}), id }, 'd1', net).Hostname).toBe('0f9e8d7c6b5a')
    expect(createBody({ ...assignment({}), id, sandbox: 's' as Assignment['id'] }, 'd1', net)).not.toHaveProperty(
      'Hostname',
    )
  })

  test('everything that the user said', () => {
    const body = createBody(
      assignment({
        command: ['a'],
        entrypoint: ['b'],
        workdir: '/w',
        hostname: 'h',
        environment: { A: 'x=y', B: '' },
        restartPolicy: { name: 'on-failure', maxRetries: 3 },
        healthcheck: { command: 'true', intervalSeconds: 5, timeoutSeconds: 2, retries: 1 },
        exposedPorts: ['80/tcp'],
        interactive: true,
        tty: true,
        runtime: 'runc',
      }),
      'd1',
      net,
    )
    expect(body).toMatchObject({
      Image: 'nginx:1',
      Cmd: ['a'],
      Entrypoint: ['b'],
      WorkingDir: '/w',
      Hostname: 'h',
      Env: ['A=x=y', 'B='],
      Tty: true,
      OpenStdin: true,
      StdinOnce: false,
      ExposedPorts: { '80/tcp': {} },
      Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 5e9, Timeout: 2e9, Retries: 1 },
      HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 }, Runtime: 'runc' },
    })
  })

  test('a retry count only where engines accept one', () => {
    const { HostConfig } = createBody(assignment({ restartPolicy: { name: 'always', maxRetries: 3 } }), 'd', net)
    expect(HostConfig.RestartPolicy.MaximumRetryCount).toBe(0)
  })

  test('our labels, whatever the user calls his', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), fc.string(), (own, forged) => {
        const labels = { ...own, 'gantry.deployment': forged, 'gantry.project': forged, 'gantry.other': forged }
        const { Labels } = createBody(assignment({ labels }), 'd1', net)
        const ours = Object.entries(Labels).filter(([name]) => name.startsWith('gantry.'))
        expect(Object.fromEntries(ours)).toEqual({
          'gantry.deployment': 'd1',
          'gantry.container': 'c1',
          'gantry.project': 'p1',
          'gantry.generation': '3',
        })
      }),
    )
  })

  test('limits are hard: no swap beside the memory', () => {
    expect(limitsOf({ cpu: 0.3, memory: 64 })).toEqual({ NanoCpus: 3e8, Memory: 67_108_864, MemorySwap: 67_108_864 })
  })
})
