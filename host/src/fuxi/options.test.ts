import { describe, expect, test } from 'vitest'
import type { FuxiBackend } from './backend.ts'
import { checkedName } from './messages.ts'
import { askedFor, booleanOf } from './options.ts'

const backend = (name: FuxiBackend['name'], optionNames: string[]) => ({ name, optionNames }) as unknown as FuxiBackend
const cinder = backend('cinder', ['fstype', 'description'])
const manila = backend('manila', ['share_proto', 'description'])
const both = [cinder, manila]

describe('what --opt asks for', () => {
  test('nothing: a volume of the first provider', () => {
    expect(askedFor({}, both)).toEqual({ backend: cinder, wish: { size: null, adopt: null, words: {} } })
    expect(askedFor({}, [manila, cinder]).backend).toBe(manila)
  })

  test('words of all, and of the provider', () => {
    const asked = askedFor({ volume_provider: 'manila', size: '12', volume_id: 'v', share_proto: 'NFS' }, both)
    expect(asked).toEqual({ backend: manila, wish: { size: 12, adopt: 'v', words: { share_proto: 'NFS' } } })
  })

  test.each([
    [
      { fstyp: 'xfs' },
      /no option "fstyp" of cinder volumes; there are description, fstype, size, volume_id, volume_prov/,
    ],
    [{ volume_provider: 'manila', fstype: 'xfs' }, /no option "fstype" of manila volumes/],
    [{ volume_provider: 'swift' }, /no volume provider "swift" here; there is cinder and manila/],
    [{ size: 'abc' }, /size is a whole number of GiB above 0, not "abc"/],
    [{ size: '0' }, /above 0/],
    [{ size: '1e3' }, /whole number/],
    [{ size: ' 1' }, /whole number/],
    [{ size: '-1' }, /above 0/],
  ])('%j is refused', (opts, sentence) => {
    expect(() => askedFor(opts, both)).toThrow(sentence)
  })

  test('yes and no', () => {
    expect(['true', 'True', 'yes', '1', 'on'].map((text) => booleanOf('multiattach', text))).not.toContain(false)
    expect(['false', 'NO', '0', 'off'].map((text) => booleanOf('multiattach', text))).not.toContain(true)
    expect(() => booleanOf('multiattach', '')).toThrow(/multiattach is true or false, not ""/)
  })
})

test.each(['a/b', '..', '.hidden', '', 'a b', 'x'.repeat(201), 'ä'])('%j is no name for a folder', (name) => {
  expect(() => checkedName(name)).toThrow(/cannot be a volume's name/)
})
