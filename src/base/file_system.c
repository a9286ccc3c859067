/* Tells file systems apart by their magic number (statfs(2)). */
#include "base/file_system.h"

#include <linux/magic.h>
#include <stddef.h>
#include <stdint.h>

/* File systems that <linux/magic.h> does not name. */
#define BEEGFS_MAGIC 0x19830326
#define GFS2_MAGIC 0x01161970
#define GPFS_MAGIC 0x47504653
#define LUSTRE_MAGIC 0x0bd00bd0
#define ORANGEFS_MAGIC 0x20030528
#define VBOXSF_MAGIC 0x786f4256

bool file_system_reports_changes(const struct statfs *status)
{
    static const uint32_t silent[] = {
        AFS_FS_MAGIC,     AFS_SUPER_MAGIC,  BEEGFS_MAGIC,      CEPH_SUPER_MAGIC, CIFS_SUPER_MAGIC,
        CODA_SUPER_MAGIC, FUSE_SUPER_MAGIC, GFS2_MAGIC,        GPFS_MAGIC,       LUSTRE_MAGIC,
        NCP_SUPER_MAGIC,  NFS_SUPER_MAGIC,  OCFS2_SUPER_MAGIC, ORANGEFS_MAGIC,   SMB2_SUPER_MAGIC,
        SMB_SUPER_MAGIC,  V9FS_MAGIC,       VBOXSF_MAGIC,
    };
    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
        if ((uint32_t)status->f_type == silent[i]) return false;
    return true;
}
