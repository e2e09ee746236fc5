/* The two kinds of `with` block, in C.
 *
 * What Python does between a sample and the block is in the result. With a block written in Python that was 3400
 * instructions and, after a block that swept the caches, 300 cache misses (a walk over 16,384 lines counted 16,700); here
 * it is a tenth of that. The types know no counters: they call C functions whose addresses the cffi module gives, so that
 * there is one copy of the counter core in the process. The GIL stays with us: giving it away and taking it back would be
 * in the result too.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>

#include "armprof.h"

static void *pointer(unsigned long long address) { return (void *)(uintptr_t)address; }

static void free_object(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

/* ---- RegionBlock: enters and leaves a region -------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    void (*enter)(armprof_region);
    void (*leave)(armprof_region);
    armprof_region region;
} RegionBlock;

static PyObject *region_bind(PyObject *object, PyObject *arguments) {
    RegionBlock *self = (RegionBlock *)object;
    unsigned long long enter, leave;
    unsigned region;
    if (!PyArg_ParseTuple(arguments, "KKI", &enter, &leave, &region)) {
        return NULL;
    }
    self->enter = (void (*)(armprof_region))pointer(enter);
    self->leave = (void (*)(armprof_region))pointer(leave);
    self->region = region;
    Py_RETURN_NONE;
}

static PyObject *unbound(void) {
    PyErr_SetString(PyExc_RuntimeError, "this block was not bound to counters");
    return NULL;
}

static PyObject *region_enter(PyObject *object, PyObject *ignored) {
    RegionBlock *self = (RegionBlock *)object;
    (void)ignored;
    if (!self->enter) {
        return unbound();
    }
    Py_INCREF(object);
    self->enter(self->region);
    return object;
}

static PyObject *region_exit(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
    RegionBlock *self = (RegionBlock *)object;
    (void)arguments;
    (void)count;
    if (!self->leave) {
        return unbound();
    }
    self->leave(self->region);
    Py_RETURN_NONE;
}

static PyMethodDef region_methods[] = {
    {"_bind", region_bind, METH_VARARGS, "Addresses of enter and leave, and the region."},
    {"__enter__", region_enter, METH_NOARGS, "Enters the region."},
    {"__exit__", (PyCFunction)(void (*)(void))region_exit, METH_FASTCALL, "Leaves the region."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot region_slots[] = {
    {Py_tp_methods, region_methods},
    {Py_tp_dealloc, free_object},
    {Py_tp_doc, "Enters and leaves a region of the counter core."},
    {0, NULL},
};

static PyType_Spec region_spec = {
    .name = "armprof._blocks.RegionBlock",
    .basicsize = sizeof(RegionBlock),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = region_slots,
};

/* ---- SampleBlock: samples counters before and after -------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    int (*sample)(armprof_set *, armprof_count *);
    armprof_set **sets; /* owned by Python, as are the counts; _before() binds them and keeps them alive */
    armprof_count *before, *after;
    Py_ssize_t set_count;
    Py_ssize_t set_size; /* counts of a set */
    int error;
} SampleBlock;

static PyObject *sample_bind(PyObject *object, PyObject *arguments) {
    SampleBlock *self = (SampleBlock *)object;
    unsigned long long sample, sets, before, after;
    if (!PyArg_ParseTuple(arguments, "KKnnKK", &sample, &sets, &self->set_count, &self->set_size, &before, &after)) {
        return NULL;
    }
    self->sample = (int (*)(armprof_set *, armprof_count *))pointer(sample);
    self->sets = pointer(sets);
    self->before = pointer(before);
    self->after = pointer(after);
    self->error = 0;
    Py_RETURN_NONE;
}

static void sample_all(SampleBlock *self, armprof_count *counts) {
    for (Py_ssize_t at = 0; at < self->set_count; at++) {
        int error = self->sample(self->sets[at], counts + at * self->set_size);
        self->error = error ? error : self->error;
    }
}

static PyObject *sample_enter(PyObject *object, PyObject *ignored) {
    SampleBlock *self = (SampleBlock *)object;
    (void)ignored;
    PyObject *prepared = PyObject_CallMethod(object, "_prepare", NULL);
    if (!prepared) {
        return NULL;
    }
    Py_DECREF(prepared);
    if (!self->sample) {
        return unbound();
    }
    Py_INCREF(object);
    sample_all(self, self->before);
    return object;
}

static PyObject *sample_exit(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
    SampleBlock *self = (SampleBlock *)object;
    (void)arguments;
    (void)count;
    if (!self->sample) {
        return unbound();
    }
    sample_all(self, self->after);
    self->sample = NULL;
    return PyObject_CallMethod(object, "_finish", "i", self->error);
}

static PyMethodDef sample_methods[] = {
    {"_bind", sample_bind, METH_VARARGS, "Addresses of the sampling function, of the sets and of the two samples."},
    {"__enter__", sample_enter, METH_NOARGS, "Calls _prepare(), which binds, and samples."},
    {"__exit__", (PyCFunction)(void (*)(void))sample_exit, METH_FASTCALL, "Samples, and calls _finish(errno)."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot sample_slots[] = {
    {Py_tp_methods, sample_methods},
    {Py_tp_dealloc, free_object},
    {Py_tp_doc, "Samples counters before and after a block."},
    {0, NULL},
};

static PyType_Spec sample_spec = {
    .name = "armprof._blocks.SampleBlock",
    .basicsize = sizeof(SampleBlock),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = sample_slots,
};

/* ---- The module -------------------------------------------------------------------------------------------------- */

static int add_types(PyObject *module) {
    PyType_Spec *const specs[] = {&region_spec, &sample_spec};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        PyObject *type = PyType_FromSpec(specs[i]);
        if (!type || PyModule_AddType(module, (PyTypeObject *)type) < 0) {
            Py_XDECREF(type);
            return -1;
        }
        Py_DECREF(type);
    }
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, add_types},
    {0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "armprof._blocks",
    .m_doc = "`with` blocks around the counter core.",
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__blocks(void) { return PyModuleDef_Init(&module_definition); }
