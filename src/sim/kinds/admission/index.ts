import type { AdmissionPlugin } from '../strategy.ts';

export const admissionPlugins: AdmissionPlugin[] = [];
