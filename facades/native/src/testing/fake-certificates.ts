import type { CertificateView, ClientCertificates } from '@gantry/control'
import { Fault } from '@gantry/kernel'

/** Signs nothing, keeps everything. */
export function fakeCertificates(): ClientCertificates {
  const kept = new Map<string, CertificateView>()
  return {
    async create({ userId, projectId }, _token, { name }) {
      const serial = (kept.size + 10).toString(16).toUpperCase()
      const view = { serial, userId, projectId, name: name ?? 'docker', createdAt: 0, expiresAt: 1000 }
      kept.set(serial, view)
      return { view, certificate: 'certificate', authority: 'authority' }
    },
    list: async ({ projectId }) => [...kept.values()].filter((view) => view.projectId === projectId),
    async revoke(_caller, _token, serial) {
      if (!kept.delete(serial)) throw new Fault('identity.not-found', { type: 'certificate', ref: serial })
    },
  }
}

export const fakeDockerPorts = () => ({ url: 'http://127.0.0.1:9703', tlsUrl: 'https://0.0.0.0:9704', ca: 'authority' })
