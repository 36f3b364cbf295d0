import { Fn } from 'aws-cdk-lib';
import { CfnLaunchTemplate } from 'aws-cdk-lib/aws-ec2';
import { CfnInstanceProfile, type Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Architecture } from '../../shared/contract/worker-time.ts';

/** Amazon Linux 2023 as AWS publishes it, the newest at each start. https://docs.aws.amazon.com/linux/al2023/ug/ec2.html */
const IMAGES: Readonly<Record<Architecture, string>> = {
  x86_64: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64',
  arm64: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64',
};
/** Where that image has its root. */
const ROOT_DEVICE = '/dev/xvda';

export type LaunchTemplateProps = {
  architecture: Architecture;
  role: Role;
  securityGroupIds: string[];
  volumeGb: number;
  /** Of volumes: the group tags its instances, and nothing else. */
  tags: Readonly<Record<string, string>>;
  userData: string;
};

/** What an instance is: an image, a role, a disk and a script. No key pair, so that nobody logs in. */
export function launchTemplate(scope: Construct, props: LaunchTemplateProps): CfnLaunchTemplate {
  const profile = new CfnInstanceProfile(scope, 'Profile', { roles: [props.role.roleName] });
  return new CfnLaunchTemplate(scope, 'Template', {
    launchTemplateData: {
      imageId: `resolve:ssm:${IMAGES[props.architecture]}`,
      iamInstanceProfile: { arn: profile.attrArn },
      securityGroupIds: props.securityGroupIds,
      // A container or a server that is tricked into a request gets no credentials: version 2, and no hop further.
      metadataOptions: { httpTokens: 'required', httpPutResponseHopLimit: 1 },
      blockDeviceMappings: [
        {
          deviceName: ROOT_DEVICE,
          ebs: { volumeSize: props.volumeGb, volumeType: 'gp3', encrypted: true, deleteOnTermination: true },
        },
      ],
      tagSpecifications: [
        { resourceType: 'volume', tags: Object.entries(props.tags).map(([key, value]) => ({ key, value })) },
      ],
      // An instance that gives up is gone, and replaced.
      instanceInitiatedShutdownBehavior: 'terminate',
      userData: Fn.base64(props.userData),
    },
  });
}
