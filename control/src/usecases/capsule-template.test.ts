import { Fault } from '@gantry/kernel'
import { defaultSpec } from '@gantry/model'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCapsuleTemplate } from './capsule-template.ts'

const web = { image: 'nginx:1' }
const volume = { name: 'data', cinder: { size: 2 } }

function problemOf(template: unknown): string {
  try {
    parseCapsuleTemplate(template)
  } catch (error) {
    if (error instanceof Fault && error.code === 'request.invalid') return error.message
    throw error
  }
  throw new Error('The template was accepted.')
}

describe('a capsule template', () => {
  test('says everything that Zun lets it say', () => {
    const capsule = parseCapsuleTemplate({
      kind: 'capsule',
      capsuleVersion: 'beta',
      metadata: { name: 'shop', labels: { tier: 1 }, annotations: { why: 'test' } },
      availabilityZone: 'nova',
      spec: {
        restartPolicy: 'OnFailure',
        volumes: [
          { name: 'data', cinder: { size: '2', autoRemove: true } },
          { name: 'old', cinder: { volumeID: 'v-1' } },
        ],
        initContainers: [{ image: 'busybox', command: ['true'] }],
        containers: [
          {
            image: 'nginx:1',
            command: ['nginx'],
            args: ['-g', 'daemon off;'],
            env: { PORT: 80, DEBUG: true },
            workDir: '/srv',
            resources: { requests: { cpu: 0.5, memory: '256' } },
            ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP', hostPort: 53, name: 'dns' }],
            volumeMounts: [
              { name: 'data', mountPath: '/data' },
              { name: 'old', mountPath: '/old', readOnly: true },
            ],
            imagePullPolicy: 'Always',
            stdin: true,
            tty: true,
          },
        ],
      },
    })
    expect(capsule).toEqual({
      name: 'shop',
      labels: { tier: '1' },
      annotations: { why: 'test' },
      restartPolicy: 'on-failure',
      availabilityZone: 'nova',
      initContainers: [{ spec: { ...defaultSpec('busybox'), command: ['true'] }, mounts: [] }],
      containers: [
        {
          spec: {
            ...defaultSpec('nginx:1'),
            command: ['nginx', '-g', 'daemon off;'],
            environment: { PORT: '80', DEBUG: 'true' },
            workdir: '/srv',
            cpu: 0.5,
            memory: 256,
            exposedPorts: ['80/tcp', '53/udp'],
            pullPolicy: 'always',
            interactive: true,
            tty: true,
          },
          mounts: [
            { kind: 'new', size: 2, destination: '/data', readOnly: false, share: 'data', keep: false },
            { kind: 'volume', source: 'v-1', destination: '/old', readOnly: true },
          ],
        },
      ],
    })
  })

  test('may be JSON text, and needs no more than one image', () => {
    const capsule = parseCapsuleTemplate(JSON.stringify({ spec: { containers: [web] } }))
    expect(capsule).toMatchObject({ name: null, restartPolicy: 'always', initContainers: [] })
    expect(capsule).not.toHaveProperty('nets')
  })

  test('takes the restart policy from where it used to be', () => {
    const old = { restartPolicy: 'Never', spec: { containers: [web] } }
    expect(parseCapsuleTemplate(old).restartPolicy).toBe('no')
  })

  test('names networks and security groups', () => {
    const nets = [{ network: 'n1', 'v4-fixed-ip': '10.0.0.9' }, { port: 'p1' }]
    expect(parseCapsuleTemplate({ spec: { containers: [web], nets, securityGroups: ['g'] } })).toMatchObject({
      nets: [{ network: 'n1', addresses: ['10.0.0.9'] }, { port: 'p1' }],
      groups: ['g'],
    })
  })

  test('chooses the pull policy', () => {
    const template = { spec: { containers: [{ ...web, imagePullPolicy: 'Always' }] } }
    expect(parseCapsuleTemplate(template).containers[0]?.spec.pullPolicy).toBe('always')
  })

  test.each([
    [[], 'it must be an object with "kind", "metadata" and "spec".'],
    ['{', 'as a string it must be JSON.'],
    [{}, 'spec is missing.'],
    [{ kind: 'pod', spec: { containers: [web] } }, 'kind must be "capsule".'],
    [{ spec: {} }, 'spec.containers is missing.'],
    [{ spec: { containers: [] } }, 'spec.containers must be a list of at least one container.'],
    [{ spec: { containers: [{}] } }, 'spec.containers[0].image is missing.'],
    [{ spec: { containers: [web], restartPolicy: 'no' } }, 'spec.restartPolicy must be Always, OnFailure or Never.'],
    [{ nets: [], spec: { containers: [web] } }, 'nets is not a field that is known here.'],
    [{ spec: { containers: [{ ...web, cmd: [] }] } }, 'spec.containers[0].cmd is not a field that is known here.'],
    [
      { spec: { containers: [web], initContainers: [{ image: 3 }] } },
      'spec.initContainers[0].image must be the name of an image.',
    ],
    [
      { spec: { containers: [{ ...web, volumeMounts: [{ name: 'x', mountPath: '/x' }] }] } },
      'spec.containers[0].volumeMounts[0].name is "x", which spec.volumes does not have.',
    ],
    [
      { spec: { containers: [web], volumes: [{ name: 'data', cinder: {} }] } },
      'spec.volumes[0].cinder must have either volumeID or size.',
    ],
    [
      { spec: { containers: [web], volumes: [volume, volume] } },
      'spec.volumes[1].name is "data", as that of another volume.',
    ],
    [
      { spec: { containers: [{ ...web, resources: { requests: { memory: 1 } } }] } },
      'spec.containers[0].resources.requests.memory must be a whole number of MiB, at least 4.',
    ],
    [
      { spec: { containers: [web], nets: [{ network: 'n', port: 'p' }] } },
      'spec.nets[0] must have either network or port.',
    ],
  ])('%j is refused with a sentence', (template, problem) => {
    expect(problemOf(template)).toBe(`The capsule template is not valid: ${problem}`)
  })

  test('whatever its values, is taken or refused, and never breaks the reader', () => {
    const field = fc.constantFrom('image', 'env', 'ports', 'volumeMounts', 'resources', 'args', 'cinder', 'tty', 'x')
    const container = fc.dictionary(field, fc.jsonValue()).map((fields) => ({ ...web, ...fields }))
    const spec = fc.record({
      containers: fc.array(container, { minLength: 1, maxLength: 2 }),
      volumes: fc.oneof(fc.jsonValue(), fc.constant([volume])),
      nets: fc.oneof(fc.jsonValue(), fc.constant([{ network: 'n' }])),
    })
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), spec), fc.jsonValue(), (inner, metadata) => {
        try {
          const { containers } = parseCapsuleTemplate({ metadata, spec: inner })
          expect(containers.length).toBeGreaterThan(0)
        } catch (error) {
          if (!(error instanceof Fault) || error.code !== 'request.invalid') throw error
        }
      }),
    )
  })
})
