import { type ContainerId, type Digest, dockerImage, type Image, type ImageId, type ProjectId } from '@gantry/model'
import { expect, test } from 'vitest'
import { pulledFrom } from '../../catalogue.ts'
import type { KnownImage } from './project-images.ts'
import { removalPlan } from './removal-plan.ts'

const imageId = `sha256:${'ab'.repeat(32)}`
const digest = `sha256:${'cd'.repeat(32)}`
const [mine, theirs] = ['p1' as ProjectId, 'p2' as ProjectId]

function aRow(name: string, projectId = mine, change: Partial<Image> = {}): Image {
  const [repo = '', tag = ''] = name.split(':')
  return {
    id: name as ImageId,
    projectId,
    userId: null,
    name: null,
    repo,
    tag,
    kind: 'image',
    status: 'active',
    visibility: projectId === mine ? 'private' : 'public',
    digest: digest as Digest,
    imageId,
    size: 1,
    bytes: 1,
    pending: null,
    glance: dockerImage,
    createdAt: 1,
    updatedAt: 1,
    ...change,
  }
}

function anImage(own: readonly Image[], shared: readonly Image[] = []): KnownImage {
  const all = [...own, ...shared]
  const names = all.map(({ repo, tag }) => `${repo}:${tag}`)
  return { imageId, digest: digest as Digest, names, digests: [], size: 1, createdAt: 1, own, shared }
}

const use = (running: boolean) => ({ id: '01234567-89ab-4def-8123-456789abcdef' as ContainerId, running })
const [one, two] = [aRow('a:1'), aRow('b:2')]

test('a name goes alone while there is another, used or not', () => {
  const found = { image: anImage([one, two]), row: one }
  expect(removalPlan(found, 'a:1', [use(true)], false)).toEqual({
    drop: [one],
    nameless: false,
    untagged: ['a:1'],
    isDeleted: false,
  })
})

test('the last name takes the image, unless a container uses it', () => {
  const found = { image: anImage([one]), row: one }
  expect(removalPlan(found, 'a:1', [], false)).toMatchObject({ isDeleted: true, nameless: false })
  expect(() => removalPlan(found, 'a:1', [use(false)], false)).toThrow(
    'conflict: unable to remove repository reference "a:1" (must force) - container 0123456789ab is using its referenced image abababababab',
  )
  expect(removalPlan(found, 'a:1', [use(false)], true)).toMatchObject({ isDeleted: false, nameless: true })
})

test('by its id all names go, if they are of one repository', () => {
  const several = { image: anImage([one, two]), row: null }
  expect(() => removalPlan(several, 'abab', [], false)).toThrow('image is referenced in multiple repositories')
  expect(removalPlan(several, 'abab', [], true)).toMatchObject({ untagged: ['a:1', 'b:2'], isDeleted: true })
  const found = { image: anImage([one, aRow('a:2')]), row: null }
  expect(removalPlan(found, 'abab', [], false)).toMatchObject({ untagged: ['a:1', 'a:2'], isDeleted: true })
  expect(() => removalPlan(found, 'abab', [use(false)], false)).toThrow('being used by stopped container')
  expect(() => removalPlan(found, 'abab', [use(false), use(true)], true)).toThrow('(cannot be forced)')
})

test('what is public stays, and so does an image that is public under another name', () => {
  const shared = aRow('busybox:latest', theirs)
  expect(() => removalPlan({ image: anImage([], [shared]), row: shared }, 'busybox', [], true)).toThrow('it is public')
  expect(() => removalPlan({ image: anImage([], [shared]), row: null }, 'abab', [], true)).toThrow('it is public')
  const both = anImage([one], [shared])
  expect(removalPlan({ image: both, row: one }, 'a:1', [use(true)], false)).toMatchObject({
    untagged: ['a:1'],
    isDeleted: false,
    nameless: false,
  })
})

test('what came from a registry loses its digest too', () => {
  const pulled = aRow('a:1', mine, { glance: { ...dockerImage, properties: { [pulledFrom]: 'a:1' } } })
  expect(removalPlan({ image: anImage([pulled]), row: pulled }, 'a:1', [], false)).toMatchObject({
    untagged: ['a:1', `a@${digest}`],
  })
})

test('what is protected, or only shared with the project, stays', () => {
  const kept = aRow('a:1', mine, { glance: { ...dockerImage, protected: true } })
  expect(() => removalPlan({ image: anImage([kept]), row: kept }, 'a:1', [], true)).toThrow('it is protected')
  const shared = aRow('them/a:1', theirs, { visibility: 'shared' })
  expect(() => removalPlan({ image: anImage([], [shared]), row: shared }, 'them/a', [], true)).toThrow('shares it')
})
