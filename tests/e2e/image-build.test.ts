import { execFile } from 'node:child_process'
import { readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHost, testDeployment } from '../fixtures/host-bench.ts'
import { type BuildBench, type Files, masked, spaceOf, startBuildBench } from '../fixtures/build-bench.ts'

const run = promisify(execFile)
let bench: BuildBench

beforeAll(async () => {
  bench = await startBuildBench()
})
afterAll(() => bench.stop())

const tree: Files = {
  'a.txt': 'a',
  'b.txt': 'bb',
  'sub/c.txt': 'ccc',
  'sub/deep/d.txt': 'dddd',
  'sub/e.md': 'e',
  'with space/f': 'f',
  link: { link: 'sub/c.txt' },
  'sub/inner': { link: '../a.txt' },
}

const cases: Readonly<
  Record<string, { dockerfile: string; args?: Record<string, string>; files?: Files; target?: string }>
> = {
  'metadata of every kind': {
    dockerfile: `FROM busybox
MAINTAINER Some Body <some@body>
ENV A=1 B="two words" C=$A-x
ENV old style value
LABEL one=1 "two"='2 2' three=\${A:-no}
EXPOSE 80 443/tcp 53/udp 9000-9002
VOLUME /data /logs
VOLUME ["/json one"]
USER nobody:nogroup
WORKDIR /work
WORKDIR sub/$A
STOPSIGNAL SIGUSR1
HEALTHCHECK --interval=5s --timeout=1m30s --retries=3 CMD echo fine
SHELL ["/bin/sh", "-ec"]
ONBUILD RUN echo later
ONBUILD COPY . /x
CMD echo "$A"
ENTRYPOINT ["/bin/sh", "-c"]`,
  },
  'commands with and without a shell': {
    dockerfile: `FROM busybox
RUN echo hello
RUN echo oops >&2
RUN ["sh", "-c", "mkdir /made && echo x > /made/file"]
RUN echo one \\
    # a comment inside

    && echo two
CMD ["echo", "done"]`,
  },
  'an entrypoint that takes the command of its base away': {
    dockerfile: 'FROM busybox\nENTRYPOINT exec top -b\n',
  },
  'copies of files, folders and patterns': {
    dockerfile: `FROM busybox
COPY a.txt /one
COPY a.txt b.txt /two/
COPY sub /three
COPY sub/ /three/again/
COPY *.txt /four/
COPY sub/*.t?t sub/[d]e* /five/
COPY ["with space/f", "/six six/"]
COPY link /seven
COPY . /eight/
WORKDIR /nine
COPY a.txt .
COPY sub ./here
COPY a.txt ../ten/eleven/`,
    files: tree,
  },
  'copies for an owner': {
    dockerfile: `FROM busybox
RUN echo 'me:x:1000:1001::/:/bin/sh' >> /etc/passwd && echo 'us:x:2000:' >> /etc/group
COPY --chown=me:us sub /a/b
COPY --chown=12:34 a.txt /new/path/file
COPY --chown=root a.txt /new/
ADD --chown=7 b.txt /added`,
    files: tree,
  },
  'copies through links and onto volumes': {
    dockerfile: `FROM busybox
RUN mkdir -p /usr/real && ln -s /usr/real /short && ln -s usr/real/file /filelink
VOLUME /data
COPY a.txt /short/
COPY sub /short/sub
COPY b.txt /filelink
COPY a.txt /data/kept
COPY b.txt /bin/`,
    files: tree,
  },
  'stages by name, number and as a base': {
    dockerfile: `ARG WHICH=busybox
FROM \${WHICH}:latest AS first
RUN mkdir /out && echo 1 > /out/one && echo 2 > /out/two.txt && chown -R 5:6 /out && ln -s one /out/alias
CMD ["kept"]
FROM busybox AS Second
COPY --from=first /out /from-name
COPY --from=0 /out/*.txt /from-number/
COPY --from=first /out/alias /followed
COPY --from=first --chown=9:9 /out/one /mine
FROM first
COPY --from=second /from-name /again
RUN cat /again/one`,
  },
  'a target stage': {
    dockerfile: 'FROM busybox AS a\nRUN echo a\nFROM busybox AS b\nRUN echo b\nFROM busybox\nRUN echo c\n',
    target: 'b',
  },
  arguments: {
    dockerfile: `ARG GLOBAL=g
FROM busybox
ARG GLOBAL
ARG GIVEN=default
ARG PLAIN
ARG EMPTY=
ENV FROM_ARG=\${GIVEN}/\${PLAIN:-none}/\${EMPTY:+some}
RUN echo $GLOBAL $GIVEN "$PLAIN" $HTTP_PROXY
LABEL given=$GIVEN quoted='$GIVEN' escaped=\\$GIVEN`,
    args: { GIVEN: 'told', HTTP_PROXY: 'http://proxy', NEVER: 'x' },
  },
  'nothing to begin with': {
    dockerfile: 'FROM scratch\nCOPY a.txt /\nENV X=y\nCMD ["/a.txt"]\n',
    files: tree,
  },
  'words, quotes and blanks': {
    dockerfile: `FROM --platform=linux/amd64 busybox
ENV A="x  y" B='$A' C="\\$A" D=a\\ b E="q\\"q" F=\${A:+"in quotes"} G=
ENV H   many   words  "here"
ENV I=$A J="\${NONE:-d e}"
LABEL "a b"="c d" e='f'
LABEL multi="one \\
two"
RUN echo "$A" '$B' $C \\
  "last   one"
CMD [ "a", "b\\tc" ]
ENTRYPOINT [ not json
EXPOSE $PORT 1234
USER "quoted"
WORKDIR "/with blank"
WORKDIR $A`,
  },
  'ignored, but sent': {
    dockerfile: 'FROM busybox\nCOPY . /all/\n',
    files: { '.dockerignore': 'Dockerfile\n.docker*\n!sub/c.txt\n', ...tree },
  },
  'another escape': {
    dockerfile: '# escape=`\nFROM busybox\nRUN echo a `\n && echo b\nENV X=a`$b\nCOPY a.txt c:\\\n',
    files: tree,
  },
}

describe('as the engine builds', () => {
  for (const [name, { dockerfile, args = {}, files = {}, target = '' }] of Object.entries(cases)) {
    test(name, { timeout: 120_000 }, async () => {
      const folder = await bench.contextOf({ ...files, Dockerfile: dockerfile })
      const given = Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`])
      const theirs = await bench.engineBuild(folder, 'theirs', ...given, ...(target === '' ? [] : ['--target', target]))
      const ours = await bench.build(folder, { buildArgs: args, target })
      expect(ours.error).toBe('')
      expect(theirs.error).toBe('')
      expect(masked(ours.shown)).toBe(masked(theirs.shown))
      expect(await bench.configOf(ours.imageId)).toEqual(await bench.configOf('theirs'))
      expect(await bench.filesOf(ours.imageId)).toBe(await bench.filesOf('theirs'))
      if (!dockerfile.includes('--from'))
        expect(await bench.historyOf(ours.imageId)).toEqual(await bench.historyOf('theirs'))
    })
  }

  test('triggers of a base', { timeout: 60_000 }, async () => {
    const base = await bench.contextOf({ Dockerfile: 'FROM busybox\nONBUILD COPY a.txt /got\nONBUILD RUN cat /got\n' })
    await bench.engineBuild(base, 'with-triggers')
    const folder = await bench.contextOf({ ...tree, Dockerfile: 'FROM with-triggers\nRUN echo own\n' })
    const theirs = await bench.engineBuild(folder, 'theirs')
    const ours = await bench.build(folder)
    expect(masked(ours.shown)).toBe(masked(theirs.shown))
    expect(await bench.configOf(ours.imageId)).toEqual(await bench.configOf('theirs'))
  })

  test('an archive that ADD unpacks', { timeout: 60_000 }, async () => {
    const folder = await bench.contextOf({
      Dockerfile: 'FROM busybox\nADD packed.tgz packed.tar /in/\nADD fake.gz /in/\n',
    })
    const inner = await bench.contextOf({ 'x/y': 'y', z: 'z' })
    await run('tar', ['-C', inner, '--owner=3', '--group=4', '-czf', join(folder, 'packed.tgz'), '.'])
    await run('tar', ['-C', inner, '--owner=5', '--group=6', '-cf', join(folder, 'packed.tar'), 'z'])
    await run('sh', ['-c', `echo no tar | gzip > ${join(folder, 'fake.gz')}`])
    await bench.engineBuild(folder, 'theirs')
    const ours = await bench.build(folder)
    expect(ours.error).toBe('')
    expect(await bench.filesOf(ours.imageId)).toBe(await bench.filesOf('theirs'))
  })

  for (const dockerfile of [
    'FROM busybox\nRUN echo before; exit 3\n',
    'FROM busybox\nCOPY missing /x\n',
    'FROM busybox\nCOPY a.txt b.txt /x\n',
    'FROM busybox\nCOPY --chown=nobodyknows a.txt /x\n',
    'FROM busybox\nCOPY --chmod=755 a.txt /x\n',
    'FROM busybox\nRUN --mount=type=cache,target=/x true\n',
    'FROM busybox\nEXPOSE what\n',
  ]) {
    test(`refuses ${JSON.stringify(dockerfile.slice(13))}`, { timeout: 60_000 }, async () => {
      const folder = await bench.contextOf({ ...tree, Dockerfile: dockerfile })
      const theirs = await bench.engineBuild(folder, 'theirs')
      const ours = await bench.build(folder)
      expect(ours.error).not.toBe('')
      expect(theirs.error).toContain(ours.error)
    })
  }

  for (const dockerfile of [
    'FROM busybox\nBOGUS x\n',
    'RUN true\n',
    'FROM busybox\nENV novalue\n',
    'FROM busybox\nCOPY one\n',
    'FROM a b\n',
    'FROM busybox\nUSER --x y\n',
    '# nothing\n',
  ]) {
    test(`does not begin ${JSON.stringify(dockerfile)}`, { timeout: 60_000 }, async () => {
      const folder = await bench.contextOf({ Dockerfile: dockerfile })
      const theirs = await bench.engineBuild(folder, 'theirs')
      const problem = await bench.build(folder).then(
        () => '',
        (error: unknown) => (error instanceof Error ? error.message : ''),
      )
      expect(problem).not.toBe('')
      expect(theirs.error).toContain(problem)
    })
  }
})

describe('steps made before', () => {
  const dockerfile = 'FROM busybox\nARG X\nRUN head -c 8 /dev/urandom | md5sum\nCOPY a.txt /a\nRUN cat /a $X\n'

  test('are used again in the same space, and only there', { timeout: 120_000 }, async () => {
    const folder = await bench.contextOf({ 'a.txt': 'a', Dockerfile: dockerfile })
    const space = spaceOf()
    const first = await bench.build(folder, { space })
    const again = await bench.build(folder, { space })
    expect(again.shown.match(/Using cache/g)).toHaveLength(4)
    expect(again.imageId).toBe(first.imageId)
    await writeFile(join(folder, 'a.txt'), 'b')
    const changed = await bench.build(folder, { space })
    expect(changed.shown.match(/Using cache/g)).toHaveLength(2)
    expect(changed.imageId).not.toBe(first.imageId)
    const told = await bench.build(folder, { space, buildArgs: { X: '/etc/group' } })
    expect(told.shown.match(/Using cache/g)).toHaveLength(1)
    expect((await bench.build(folder, { space, noCache: true })).shown).not.toContain('Using cache')
    expect((await bench.build(folder)).shown).not.toContain('Using cache')
  })
})

describe('walls', () => {
  test('a step has no more rights than a container', { timeout: 60_000 }, async () => {
    const folder = await bench.contextOf({
      Dockerfile:
        'FROM busybox\nRUN grep -E "NoNewPrivs|CapEff" /proc/self/status; cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null; hostname\n',
    })
    const { shown } = await bench.build(folder)
    expect(shown).toMatch(/NoNewPrivs:\s+1/)
    const [, caps = '0'] = /CapEff:\s+([0-9a-f]+)/.exec(shown) ?? []
    expect((BigInt(`0x${caps}`) >> 13n) & 1n).toBe(0n)
    expect(shown).toContain('4096')
  })

  test('an image that was not allowed is not to be had', { timeout: 60_000 }, async () => {
    const folder = await bench.contextOf({ Dockerfile: 'FROM busybox\nRUN true\n' })
    const { error } = await bench.build(folder, { images: {} })
    expect(error).toContain('pull access denied for busybox')
    const from = await bench.contextOf({ Dockerfile: 'FROM busybox\nCOPY --from=busybox:latest /bin/sh /x\n' })
    expect((await bench.build(from, { images: { busybox: 'busybox' } })).error).toContain(
      'invalid from flag value busybox:latest',
    )
  })

  test('addresses are not fetched', async () => {
    const folder = await bench.contextOf({ Dockerfile: 'FROM busybox\nADD http://127.0.0.1/x /x\n' })
    expect((await bench.build(folder)).error).toContain('does not fetch addresses')
  })

  test('names and links of a context stay inside it', { timeout: 60_000 }, async () => {
    const folder = await bench.contextOf({
      Dockerfile: 'FROM busybox\nCOPY up /x\n',
      up: { link: '/etc/hostname' },
    })
    expect((await bench.build(folder)).error).toContain('file does not exist')
    const outside = await bench.contextOf({ Dockerfile: 'FROM busybox\nCOPY ../x /x\n' })
    expect((await bench.build(outside)).error).toContain('forbidden path')
    const tar = await bench.contextOf({ Dockerfile: 'FROM busybox\n', evil: 'x' })
    await expect(bench.build(tar, { tarArgs: ['--transform=s,evil,../../evil,', '-P'] })).rejects.toMatchObject({
      code: 'request.invalid',
    })
  })
})

test('what a dead agent left goes when the next one starts', { timeout: 60_000 }, async () => {
  const deployment = testDeployment(bench.engine)
  const [theirs, ours] = [
    `gantry-build-${deployment}-x-0123456789abcdef`,
    `gantry-build-${deployment}-0123456789abcdef`,
  ]
  for (const name of [theirs, ours]) await bench.engine.docker('create', '--name', name, 'busybox')
  const made = await bench.engine.docker('commit', '-c', `LABEL gantry.build=${deployment}`, ours)
  await using next = startHost(bench.engine, { stateDir: `${dirname(bench.engine.socket)}/next` })
  await next.message(({ kind }) => kind === 'engine')
  const left = () => bench.engine.docker('ps', '-a', '--format', '{{.Names}}', '--filter', 'name=gantry-build-')
  await expect.poll(left, { timeout: 20_000 }).toBe(theirs)
  await expect
    .poll(() => bench.engine.docker('images', '-q', '--no-trunc', '--filter', 'dangling=true'), { timeout: 20_000 })
    .not.toContain(made)
  await bench.engine.docker('rm', theirs)
})

describe('afterwards', () => {
  const leftovers = async () => [
    await bench.engine.docker('ps', '-aq', '--filter', 'name=gantry-build-'),
    await bench.engine.docker('images', '-q', '--filter', 'label=gantry.build'),
    (await readdir(join(dirname(bench.engine.socket), 'agent', 'builds'))).join(),
  ]

  test('nothing is left of a build that failed or was cancelled', { timeout: 60_000 }, async () => {
    await bench.build(await bench.contextOf({ Dockerfile: 'FROM busybox\nRUN exit 1\n' }))
    expect(await leftovers()).toEqual(['', '', ''])
    const folder = await bench.contextOf({ Dockerfile: 'FROM busybox\nRUN sleep 1000\n' })
    const caller = new AbortController()
    const building = bench.build(folder, { signal: caller.signal })
    building.catch(() => undefined)
    await expect
      .poll(() => bench.engine.docker('ps', '-q', '--filter', 'name=gantry-build-'), { timeout: 20_000 })
      .not.toBe('')
    caller.abort(new Error('gone'))
    await expect(building).rejects.toThrow()
    await expect.poll(leftovers, { timeout: 20_000 }).toEqual(['', '', ''])
  })

  test('quiet builds say the id alone, and everything when they fail', { timeout: 60_000 }, async () => {
    const fine = await bench.build(await bench.contextOf({ Dockerfile: 'FROM busybox\nRUN echo quiet\n' }), {
      quiet: true,
    })
    expect(fine.shown).toBe(`${fine.imageId}\n`)
    const bad = await bench.build(await bench.contextOf({ Dockerfile: 'FROM busybox\nRUN echo said; exit 4\n' }), {
      quiet: true,
    })
    expect(bad.shown).toContain('said')
    expect(bad.lines.at(-1)).toMatchObject({ errorDetail: { code: 4 } })
  })

  test('a context is built once, and labels are the last step', { timeout: 60_000 }, async () => {
    const folder = await bench.contextOf({ Dockerfile: 'FROM busybox\n' })
    const { imageId, shown } = await bench.build(folder, { labels: { b: "it's", a: '1' }, tarArgs: ['-z'] })
    expect(shown).toContain('Step 2/2 : LABEL')
    expect((await bench.configOf(imageId))['Labels']).toMatchObject({ a: '1', b: "it's" })
    await expect(bench.build(folder, { contextId: 'gone' })).rejects.toMatchObject({ code: 'request.invalid' })
  })
})
