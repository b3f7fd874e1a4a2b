export { trackUpdate, withoutTimes } from './manager.ts';
