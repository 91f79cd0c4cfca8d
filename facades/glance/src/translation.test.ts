import { dockerImage, type Image, type ImageId, type ProjectId } from '@gantry/model'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Refusal } from './errors.ts'
import { filtersOf } from './filters.ts'
import { saidFields } from './image-fields.ts'
import { toImage } from './image-view.ts'
import { pageOf } from './list-query.ts'
import { patchOf } from './patch.ts'
import { headersOf, inputOf } from './v1-image.ts'

const image: Image = {
  id: '00000000-0000-4000-8000-000000000001' as ImageId,
  projectId: 'p1' as ProjectId,
  userId: null,
  name: 'Häuser',
  repo: 'app',
  tag: '1',
  kind: 'image',
  status: 'active',
  visibility: 'shared',
  digest: null,
  imageId: null,
  size: 20,
  bytes: 10,
  pending: null,
  glance: { ...dockerImage, tags: ['red'], properties: { a: '1', id: 'forged' } },
  createdAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  updatedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
}
const refusal = (status: number) => expect.objectContaining({ name: 'Refusal', status })

test('a patch changes properties beside attributes', () => {
  const patch = patchOf(image, [
    { op: 'add', path: '/x~1y', value: 'new' },
    { op: 'remove', path: '/a' },
    { op: 'replace', path: '/name', value: null },
    { op: 'replace', path: '/tags', value: ['b', 'b'] },
  ])
  expect(patch).toEqual({ name: null, glance: { tags: ['b'], properties: { id: 'forged', 'x/y': 'new' } } })
})

test.each([
  [403, { op: 'remove', path: '/name' }],
  [403, { op: 'replace', path: '/size', value: 1 }],
  [403, { op: 'replace', path: '/id', value: '00000000-0000-4000-8000-000000000002' }],
  [403, { op: 'replace', path: '/owner', value: 'p2' }],
  [403, { op: 'replace', path: '/disk_format', value: 'qcow2' }],
  [409, { op: 'replace', path: '/unknown', value: 'x' }],
  [400, { op: 'move', path: '/name' }],
  [400, { op: 'add', path: '/tags/-', value: 'x' }],
  [400, { op: 'add', path: '/min_ram', value: -1 }],
  [400, { op: 'add', path: '/a' }],
])('answers %i to %o', (status, change) => {
  expect(() => patchOf(image, [change])).toThrow(refusal(status))
})

test('whatever is patched is a patch or a refusal', () => {
  const change = fc.record({
    op: fc.constantFrom('add', 'remove', 'replace'),
    path: fc.string(),
    value: fc.jsonValue(),
  })
  fc.assert(
    fc.property(fc.array(change), (body) => {
      try {
        patchOf(image, body)
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal)
      }
    }),
  )
})

test('no property passes for an attribute of Glance', () => {
  expect(toImage(image)).toMatchObject({ id: image.id, a: '1', name: 'Häuser', size: 10, virtual_size: 20 })
  expect(() => saidFields({ created_at: 'x' })).toThrow(refusal(403))
})

test('headers of version 1 carry any name, and give it back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 50 }), (name) => {
      const said = headersOf({ ...image, name })['x-image-meta-name']
      expect(said === undefined ? '' : inputOf({ 'x-image-meta-name': said }).name).toBe(name.replace(/\p{Cc}/gu, ' '))
    }),
  )
  expect(inputOf(headersOfUpload)).toMatchObject({ name: 'Häuser', visibility: 'public', glance: { minRam: 5 } })
})
const headersOfUpload = {
  'x-image-meta-name': Buffer.from('Häuser').toString('latin1'),
  'x-image-meta-is_public': 'True',
  'x-image-meta-min_ram': '5',
  'x-image-meta-size': '99',
}

test.each([
  ['name=in:"Häuser",b', true],
  ['name=in:b,c', false],
  ['created_at=2026-01-02T03:04:05Z', true],
  ['created_at=gt:2026-01-02T03:04:05Z', false],
  ['updated_at=lte:2026-01-02T03:04:05', true],
  ['size_min=10&size_max=10', true],
  ['a=1&tag=red', true],
  ['a=2', false],
  ['os_hidden=true', false],
])('%s', (query, fits) => {
  expect(filtersOf(Object.fromEntries(new URLSearchParams(query)))(image)).toBe(fits)
})

test('pages follow each other until all is told', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 20 }),
      (limit, times) => {
        const images = times.map((createdAt, at) => ({
          ...image,
          id: `i${String(at).padStart(2, '0')}` as ImageId,
          createdAt,
        }))
        const told: string[] = []
        let marker: string | null = null
        do {
          const page: ReturnType<typeof pageOf> = pageOf(images, { limit: String(limit), ...(marker && { marker }) })
          told.push(...page.images.map(({ id }) => id))
          marker = page.next
        } while (marker !== null)
        expect(told.toSorted()).toEqual(images.map(({ id }) => id))
      },
    ),
  )
})
