/** A container's configuration cannot be made (a missing ConfigMap key, a bad user): CreateContainerConfigError. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}
