import { engineVersion, newestVersion } from './versions.ts'

/** Every answer carries them; clients negotiate by them. */
export const usualHeaders = {
  'api-version': `1.${newestVersion}`,
  'docker-experimental': 'false',
  ostype: 'linux',
  server: `Docker/${engineVersion} (linux)`,
} as const
