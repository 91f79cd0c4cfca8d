export { type FakeCloud, fakeCloud } from './fake-control.ts'
export { type ServedCloud, serveFakeCloud } from './serve.ts'
