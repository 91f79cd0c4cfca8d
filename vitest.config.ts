import { defineConfig } from 'vitest/config'

/** A second, as usual, is short on a machine that does other things besides. Milliseconds. */
const expectSoon = { poll: { timeout: 15_000 } }

/**
 * `unit`: beside the code, quick. `postgres`: of these, what looks at the store, on a PostgreSQL instead of SQLite. `e2e`: in tests/, on real parts, one file after another. `openstack`: likewise, inside a real
 * OpenStack (tools/test-openstack.sh).
 *
 * Files of `unit` and `postgres` share modules that are loaded once, since loading them anew takes longer than their tests: no test may
 * leave a module otherwise than it found it. Projects run one after another, because they differ in how many files may run at a time.
 */
export default defineConfig({
  test: {
    // Tests wait more than they compute: one worker, as there usually is on two cores, would leave half of them idle.
    maxWorkers: 3,
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          isolate: false,
          expect: expectSoon,
          include: ['{apps,facades,control,host,providers,store,packages,tools}/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'postgres',
          sequence: { groupOrder: 1 },
          isolate: false,
          // What one test has under way in its database holds back what others may read of changes in theirs.
          fileParallelism: false,
          expect: expectSoon,
          include: [
            'store/src/{tables,identity}/**/*.test.ts',
            'store/src/migrations/newer.test.ts',
            'providers/embedded/src/blobs/{embedded-blobs,properties}.test.ts',
          ],
          exclude: ['**/next-seq*.test.ts'],
          globalSetup: 'store/src/testing/postgres-server.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          sequence: { groupOrder: 2 },
          expect: expectSoon,
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/openstack/**'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'openstack',
          sequence: { groupOrder: 3 },
          expect: expectSoon,
          include: ['tests/openstack/**/*.test.ts'],
          // A Nova takes minutes to come up, so the usual cloud has none: docs/operate/hosts-on-demand.md.
          exclude: process.env['TESTCLOUD_SERVICES']?.includes('nova')
            ? []
            : ['tests/openstack/hosts-on-demand.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
