import type { Digest } from '@gantry/model'
import { expect, test } from 'vitest'
import type { Manifest } from '../../ports/image-tables.ts'
import { historyOf, inspectOf, summaryOf } from './describe.ts'
import type { KnownImage } from './project-images.ts'

const image: KnownImage = {
  imageId: 'sha256:ab',
  digest: 'sha256:cd' as Digest,
  names: ['app:1'],
  digests: [],
  size: 7,
  createdAt: 0,
  own: [],
  shared: [],
}

function manifestOf(config: unknown): Manifest {
  return {
    digest: 'sha256:cd' as Digest,
    mediaType: '',
    artifactType: null,
    content: '',
    size: 0,
    config: typeof config === 'string' ? config : JSON.stringify(config),
    configDigest: 'sha256:ab' as Digest,
    subject: null,
    parts: [],
  }
}

const config = {
  architecture: 'arm64',
  variant: 'v8',
  os: 'linux',
  author: 'somebody',
  created: '2026-01-02T03:04:05Z',
  config: { Env: ['A=1'], Cmd: ['sh'], Labels: { a: 'b' }, ExposedPorts: { '80/tcp': {} }, StopSignal: 'SIGINT' },
  rootfs: { type: 'layers', diff_ids: ['sha256:1', 'sha256:2'] },
  history: [
    { created: '2026-01-01T00:00:00Z', created_by: 'ADD x' },
    { created: '2026-01-01T00:00:01Z', created_by: 'CMD ["sh"]', empty_layer: true },
    { created: '2026-01-01T00:00:02Z', created_by: 'RUN y', comment: 'why' },
  ],
}

test('an image is what its configuration says', () => {
  expect(inspectOf(image, manifestOf(config))).toMatchObject({
    Id: 'sha256:ab',
    RepoTags: ['app:1'],
    Architecture: 'arm64',
    Variant: 'v8',
    Os: 'linux',
    Author: 'somebody',
    Comment: 'why',
    Created: '2026-01-02T03:04:05Z',
    Config: { Env: ['A=1'], Cmd: ['sh'], Labels: { a: 'b' }, StopSignal: 'SIGINT', Entrypoint: null, User: '' },
    RootFS: { Type: 'layers', Layers: ['sha256:1', 'sha256:2'] },
  })
  expect(summaryOf(image, manifestOf(config))).toMatchObject({ Created: 1_767_323_045, Size: 7, Labels: { a: 'b' } })
})

test('its history begins with the newest step, and gives layers their sizes', () => {
  const told = historyOf(image, manifestOf(config), [10, 20])
  expect(told.map(({ Id, CreatedBy, Size, Tags }) => [Id, CreatedBy, Size, Tags])).toEqual([
    ['sha256:ab', 'RUN y', 20, ['app:1']],
    ['<missing>', 'CMD ["sh"]', 0, null],
    ['<missing>', 'ADD x', 10, null],
  ])
})

test.each([
  ['nothing', {}],
  ['no JSON', '{'],
  ['a list', []],
  ['null', 'null'],
  [
    'other things than were expected',
    {
      created: 7,
      os: {},
      config: { Env: 'A', Cmd: { a: 1 }, Labels: ['x'], Volumes: 3, ExposedPorts: 'all', Tty: 'yes' },
      rootfs: [],
      history: [null, 3, { created: 'never', created_by: {} }],
    },
  ],
])('a client can read what is made of %s', (_what, hostile) => {
  const manifest = manifestOf(hostile)
  expect(inspectOf(image, manifest)).toMatchObject({
    Created: '0001-01-01T00:00:00Z',
    Os: '',
    Config: { Env: null, Cmd: null, Labels: null, Volumes: null, Tty: false },
    RootFS: { Layers: [] },
  })
  expect(Number.isInteger(summaryOf(image, manifest)['Created'])).toBe(true)
  for (const { Created, CreatedBy } of historyOf(image, manifest, [])) {
    expect([Number.isInteger(Created), CreatedBy]).toEqual([true, ''])
  }
})
