/* The part of QEMU's interface for TCG plugins that the model uses, as facts of its ABI: QEMU 4.2 and newer load a plugin
 * that exports `qemu_plugin_version` and `qemu_plugin_install`, and export these functions to it. */
#ifndef AP_MODEL_QEMU_H
#define AP_MODEL_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QEMU_EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id;

struct qemu_plugin_tb;   /* a translation block: straight code, entered at its start alone */
struct qemu_plugin_insn;

struct qemu_plugin_info {
    const char *target_name;
    struct {
        int min, cur;
    } version; /* of the interface, as far as this QEMU goes */
    bool system_emulation;
};

enum { QEMU_NO_REGISTERS = 0 };
enum { QEMU_MEM_ANY = 3 }; /* reads and writes */

typedef void qemu_vcpu_callback(qemu_plugin_id id, unsigned vcpu);
typedef void qemu_translated(qemu_plugin_id id, struct qemu_plugin_tb *block);
typedef void qemu_executed(unsigned vcpu, void *data);
typedef void qemu_accessed(unsigned vcpu, uint32_t info, uint64_t address, void *data);
typedef void qemu_system_call(qemu_plugin_id id, unsigned vcpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3,
                              uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8);

void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id id, qemu_vcpu_callback *callback);
void qemu_plugin_register_vcpu_exit_cb(qemu_plugin_id id, qemu_vcpu_callback *callback);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id id, qemu_translated *callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, qemu_executed *callback, int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, qemu_executed *callback, int flags,
                                            void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, qemu_accessed *callback, int flags, int which,
                                      void *data);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id id, qemu_system_call *callback);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn); /* where it lies in QEMU's own address space */
unsigned qemu_plugin_mem_size_shift(uint32_t info);                /* log2 of the bytes accessed */

#endif
