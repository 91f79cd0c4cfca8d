import { identityContract } from '../fixtures/identity-contract.ts'
import { keystonePeople } from './keystone-people.ts'

identityContract('Keystone', keystonePeople)
